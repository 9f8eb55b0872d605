//! TCP's own probes on connections that are idle for long.

/// Whether and how the kernel probes an idle connection; what is absent is the system's.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct KeepAlive {
    /// `option clitcpka`, `option srvtcpka`, `option tcpka`.
    pub on: bool,
    /// `clitcpka-idle`, `srvtcpka-idle`: seconds until the first probe.
    pub idle: Option<u32>,
    /// `clitcpka-intvl`, `srvtcpka-intvl`: seconds between probes.
    pub interval: Option<u32>,
    /// `clitcpka-cnt`, `srvtcpka-cnt`: probes without an answer until the connection is given up.
    pub count: Option<u32>,
}
