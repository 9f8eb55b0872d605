//! The process at one moment, as its figures are made of.

use crate::codec::mask::Mask;

/// The process at one moment. [`InfoView::finish`] fills in what follows from the rest.
#[derive(Clone, Debug, Default)]
pub struct InfoView {
    /// Name of the product.
    pub product: String,
    /// Version of the product.
    pub version: String,
    /// Date of the version.
    pub release_date: String,
    /// Worker threads.
    pub threads: u32,
    /// The system's number of this process.
    pub pid: u32,
    /// Seconds since the start.
    pub uptime: f64,
    /// Allocations refused.
    pub pool_failures: u32,
    /// Limit on descriptors.
    pub descriptors_max: u32,
    /// Limit on sockets.
    pub sockets_max: u32,
    /// Limit on connections.
    pub conns_max: u32,
    /// Limit on connections that memory and descriptors impose.
    pub conns_hard_max: u32,
    /// Connections at this moment.
    pub conns: u32,
    /// Connections since the start.
    pub conns_total: u32,
    /// Requests since the start.
    pub requests_total: u32,
    /// Limit on TLS connections; 0 is none.
    pub tls_max: u32,
    /// TLS connections at this moment.
    pub tls: u32,
    /// TLS connections since the start.
    pub tls_total: u32,
    /// Limit on pipes for splicing.
    pub pipes_max: u32,
    /// Pipes in use.
    pub pipes_used: u32,
    /// Pipes kept ready.
    pub pipes_free: u32,
    /// Connections in the last second.
    pub conn_rate: f64,
    /// Limit on connections a second (maxconnrate).
    pub conn_rate_limit: u32,
    /// Most connections in a second.
    pub conn_rate_max: u32,
    /// Sessions in the last second.
    pub sess_rate: f64,
    /// Limit on sessions a second (maxsessrate).
    pub sess_rate_limit: u32,
    /// Most sessions in a second.
    pub sess_rate_max: u32,
    /// TLS connections in the last second.
    pub tls_rate: f64,
    /// Limit on TLS connections a second (maxsslrate).
    pub tls_rate_limit: u32,
    /// Most TLS connections in a second.
    pub tls_rate_max: u32,
    /// Full handshakes with clients in the last second.
    pub front_key_rate: u32,
    /// Most full handshakes with clients in a second.
    pub front_key_rate_max: u32,
    /// Percentage of TLS connections that were resumed.
    pub tls_reuse_percent: u32,
    /// Full handshakes with servers in the last second.
    pub back_key_rate: u32,
    /// Most full handshakes with servers in a second.
    pub back_key_rate_max: u32,
    /// Look-ups in the TLS session cache.
    pub tls_cache_lookups: u32,
    /// Look-ups that found nothing.
    pub tls_cache_misses: u32,
    /// Bytes given to the compressor in the last second.
    pub comp_in_rate: u32,
    /// Bytes the compressor gave back in the last second.
    pub comp_out_rate: u32,
    /// Limit on compressed bytes a second.
    pub comp_rate_limit: u32,
    /// Streams and timers alive.
    pub tasks: u32,
    /// Streams ready to run.
    pub run_queue: u32,
    /// Percentage of the last second the worker that answers was idle.
    pub idle_percent: u32,
    /// Name of the node.
    pub node: String,
    /// Description of the node.
    pub description: Option<String>,
    /// 1 while the process is stopping.
    pub stopping: bool,
    /// Connections and listeners that keep the process alive.
    pub jobs: u32,
    /// Connections of the master.
    pub unstoppable_jobs: u32,
    /// Active listeners.
    pub listeners: u32,
    /// Peers that are verified.
    pub active_peers: u32,
    /// Peers that are connected.
    pub connected_peers: u32,
    /// Log messages that no target took.
    pub dropped_logs: u32,
    /// 1 where workers poll without sleeping.
    pub busy_polling: bool,
    /// Names that could not be resolved.
    pub failed_resolutions: u32,
    /// Bytes sent since the start.
    pub bytes_out: u64,
    /// Bytes sent without passing through the program.
    pub spliced_out: u64,
    /// Bytes sent in the last second.
    pub bytes_out_rate: u64,
    /// Log messages received by log-forward sections.
    pub received_logs: u32,
    /// How the program was built.
    pub build: String,
    /// Limit on memory in bytes (-m); 0 is none.
    pub memory_limit: u64,
    /// Bytes held by pools.
    pub pool_allocated: u64,
    /// Bytes of the pools in use.
    pub pool_used: u64,
    /// Second of the calendar at which the process started.
    pub start_time: u64,
    /// Unusual features in use, as a number in base 16.
    pub tainted: String,
    /// Debugging commands issued.
    pub debugged: u32,
    /// Warnings since the start.
    pub warnings: u32,
    /// Times the limit on connections was reached.
    pub limit_reached: u32,
    /// Milliseconds the start took.
    pub boot_millis: u32,
    /// Streams under a nice value.
    pub niced_tasks: u32,
    /// Streams at this moment.
    pub streams: u32,
    /// Streams since the start.
    pub streams_total: u64,
    /// Whether figures that have fractions are shown with them.
    pub fractions: bool,
    /// `uptime` in words; filled in by [`InfoView::finish`].
    pub uptime_text: String,
}

impl InfoView {
    /// The same with what names the host hidden.
    #[must_use]
    pub fn masked(mut self, mask: Mask) -> Self {
        self.node = mask.name(&self.node).into_owned();
        self.description = self.description.map(|text| mask.name(&text).into_owned());
        self
    }

    /// Fills in what follows from other fields.
    #[must_use]
    pub fn finish(mut self) -> Self {
        let seconds = super::whole(self.uptime);
        let (days, hours) = (seconds / 86_400, seconds / 3_600 % 24);
        let (minutes, rest) = (seconds / 60 % 60, seconds % 60);
        self.uptime_text = format!("{days}d {hours}h{minutes:02}m{rest:02}s");
        if self.tainted.is_empty() {
            self.tainted = "0".to_owned();
        }
        self
    }
}
