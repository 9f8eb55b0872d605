//! Socket options, one function each: what `bind`, `server` and the tuning keywords can set.

use std::ffi::{c_int, c_void};
use std::io;
use std::net::{Ipv4Addr, Ipv6Addr};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd};
use std::time::Duration;

use super::checked;
use rustix::net::sockopt;

use super::socket::Family;

/// Sends small writes at once instead of waiting for an acknowledgement.
pub fn set_nodelay(fd: impl AsFd, on: bool) -> io::Result<()> {
    Ok(sockopt::set_tcp_nodelay(fd, on)?)
}

/// How many bytes that were not sent yet make a socket unwritable.
pub fn set_unsent_mark(fd: impl AsFd, bytes: usize) -> io::Result<()> {
    let bytes = c_int::try_from(bytes).unwrap_or(c_int::MAX);
    set_int(fd, libc::SOL_TCP, libc::TCP_NOTSENT_LOWAT, bytes)
}

/// Sends acknowledgements at once (`true`) or with the next data (`false`).
pub fn set_quickack(fd: impl AsFd, on: bool) -> io::Result<()> {
    Ok(sockopt::set_tcp_quickack(fd, on)?)
}

/// TCP's own probes on an idle connection.
pub fn set_keepalive(fd: impl AsFd, on: bool) -> io::Result<()> {
    Ok(sockopt::set_socket_keepalive(fd, on)?)
}

/// How often, how soon and how many times those probes are sent; what is `None` keeps the system's value.
pub fn set_keepalive_pace(
    fd: impl AsFd,
    idle: Option<Duration>,
    interval: Option<Duration>,
    count: Option<u32>,
) -> io::Result<()> {
    let fd = fd.as_fd();
    if let Some(idle) = idle {
        sockopt::set_tcp_keepidle(fd, idle)?;
    }
    if let Some(interval) = interval {
        sockopt::set_tcp_keepintvl(fd, interval)?;
    }
    if let Some(count) = count {
        sockopt::set_tcp_keepcnt(fd, count)?;
    }
    Ok(())
}

/// Binds although connections of an earlier listener linger.
pub fn set_reuseaddr(fd: impl AsFd, on: bool) -> io::Result<()> {
    Ok(sockopt::set_socket_reuseaddr(fd, on)?)
}

/// Shares the address with other sockets of the same user that ask for the same.
pub fn set_reuseport(fd: impl AsFd, on: bool) -> io::Result<()> {
    Ok(sockopt::set_socket_reuseport(fd, on)?)
}

/// Whether the socket shares its address.
pub fn reuseport(fd: impl AsFd) -> io::Result<bool> {
    Ok(sockopt::socket_reuseport(fd)?)
}

/// Keeps an IPv6 socket from carrying IPv4, or lets it.
pub fn set_v6only(fd: impl AsFd, on: bool) -> io::Result<()> {
    Ok(sockopt::set_ipv6_v6only(fd, on)?)
}

/// Whether an IPv6 socket refuses IPv4.
pub fn v6only(fd: impl AsFd) -> io::Result<bool> {
    Ok(sockopt::ipv6_v6only(fd)?)
}

/// Lets the socket use addresses that are not the machine's (needs `cap_net_admin` or `cap_net_raw`).
pub fn set_transparent(fd: impl AsFd, family: Family) -> io::Result<()> {
    match family {
        Family::V4 => set_int(fd, libc::SOL_IP, libc::IP_TRANSPARENT, 1),
        Family::V6 => set_int(fd, libc::SOL_IPV6, libc::IPV6_TRANSPARENT, 1),
        Family::Unix => Err(unsupported()),
    }
}

/// Lets the socket bind to an address that does not exist yet.
pub fn set_freebind(fd: impl AsFd, family: Family) -> io::Result<()> {
    match family {
        Family::V4 => Ok(sockopt::set_ip_freebind(fd, true)?),
        Family::V6 => Ok(sockopt::set_ipv6_freebind(fd, true)?),
        Family::Unix => Err(unsupported()),
    }
}

/// Chooses the source port at connect time, so that one port can serve several destinations.
pub fn set_bind_address_no_port(fd: impl AsFd) -> io::Result<()> {
    set_int(fd, libc::SOL_IP, libc::IP_BIND_ADDRESS_NO_PORT, 1)
}

/// Ties the socket to a network interface.
pub fn bind_to_device(fd: impl AsFd, interface: &str) -> io::Result<()> {
    set_bytes(
        fd,
        libc::SOL_SOCKET,
        libc::SO_BINDTODEVICE,
        interface.as_bytes(),
    )
}

/// The interface the socket is tied to, empty when none.
pub fn bound_device(fd: impl AsFd) -> io::Result<String> {
    let mut name = [0u8; libc::IF_NAMESIZE];
    let len = get_bytes(fd, libc::SOL_SOCKET, libc::SO_BINDTODEVICE, &mut name)?;
    let name = name[..len].split(|b| *b == 0).next().unwrap_or_default();
    Ok(String::from_utf8_lossy(name).into_owned())
}

/// The largest segment to announce.
pub fn set_max_segment(fd: impl AsFd, bytes: i32) -> io::Result<()> {
    set_int(fd, libc::SOL_TCP, libc::TCP_MAXSEG, bytes)
}

/// Wakes the listener only when data came, or after this many seconds.
pub fn set_defer_accept(fd: impl AsFd, seconds: i32) -> io::Result<()> {
    set_int(fd, libc::SOL_TCP, libc::TCP_DEFER_ACCEPT, seconds)
}

/// Accepts data in the first packet, for up to `queue` unfinished handshakes.
pub fn set_fastopen(fd: impl AsFd, queue: i32) -> io::Result<()> {
    set_int(fd, libc::SOL_TCP, libc::TCP_FASTOPEN, queue)
}

/// Sends data in the first packet when the peer allows it.
pub fn set_fastopen_connect(fd: impl AsFd) -> io::Result<()> {
    set_int(fd, libc::SOL_TCP, libc::TCP_FASTOPEN_CONNECT, 1)
}

/// How long sent data may stay unacknowledged, in milliseconds.
pub fn set_user_timeout(fd: impl AsFd, millis: u32) -> io::Result<()> {
    Ok(sockopt::set_tcp_user_timeout(fd, millis)?)
}

/// The mark that routing and packet filters see.
pub fn set_mark(fd: impl AsFd, mark: u32) -> io::Result<()> {
    set_int(fd, libc::SOL_SOCKET, libc::SO_MARK, mark.cast_signed())
}

/// The type-of-service byte of outgoing packets.
pub fn set_tos(fd: impl AsFd, family: Family, tos: u8) -> io::Result<()> {
    match family {
        Family::V4 => Ok(sockopt::set_ip_tos(fd, tos)?),
        Family::V6 => Ok(sockopt::set_ipv6_tclass(fd, u32::from(tos))?),
        Family::Unix => Err(unsupported()),
    }
}

/// How many hops outgoing packets live.
pub fn set_hops(fd: impl AsFd, family: Family, hops: u8) -> io::Result<()> {
    match family {
        Family::V4 => Ok(sockopt::set_ip_ttl(fd, u32::from(hops))?),
        Family::V6 => set_int(
            fd,
            libc::IPPROTO_IPV6,
            libc::IPV6_UNICAST_HOPS,
            i32::from(hops),
        ),
        Family::Unix => Err(unsupported()),
    }
}

/// Takes the connection out of the kernel's hands: the next close sends nothing.
pub fn set_repair(fd: impl AsFd) -> io::Result<()> {
    set_int(fd, libc::IPPROTO_TCP, TCP_REPAIR, 1)
}

/// The option's number; the same on every architecture of Linux.
const TCP_REPAIR: i32 = 19;

/// The congestion control algorithm.
pub fn set_congestion(fd: impl AsFd, name: &str) -> io::Result<()> {
    Ok(sockopt::set_tcp_congestion(fd, name)?)
}

/// The congestion control algorithm in use.
pub fn congestion(fd: impl AsFd) -> io::Result<String> {
    Ok(sockopt::tcp_congestion(fd)?)
}

/// Makes the next close send a reset and forget what was not sent.
pub fn set_reset_on_close(fd: impl AsFd) -> io::Result<()> {
    Ok(sockopt::set_socket_linger(fd, Some(Duration::ZERO))?)
}

/// The kernel's receive buffer.
pub fn set_recv_buffer(fd: impl AsFd, bytes: usize) -> io::Result<()> {
    Ok(sockopt::set_socket_recv_buffer_size(fd, bytes)?)
}

/// The kernel's send buffer.
pub fn set_send_buffer(fd: impl AsFd, bytes: usize) -> io::Result<()> {
    Ok(sockopt::set_socket_send_buffer_size(fd, bytes)?)
}

/// What the kernel knows of a TCP connection.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TcpInfo {
    /// Mean round-trip time, microseconds.
    pub rtt: u32,
    /// Its mean deviation, microseconds.
    pub rtt_var: u32,
    /// Segments sent and not acknowledged.
    pub unacked: u32,
    /// Segments acknowledged selectively.
    pub sacked: u32,
    /// Segments held for lost.
    pub lost: u32,
    /// Segments being retransmitted.
    pub retrans: u32,
    /// Segments thought reordered and acknowledged forward.
    pub fackets: u32,
    /// The reordering metric.
    pub reordering: u32,
}

/// Reads TCP_INFO.
pub fn tcp_info(fd: impl AsFd) -> io::Result<TcpInfo> {
    // The structure begins with 8 bytes of states and options, then 32-bit fields in a fixed order; newer kernels only append.
    let mut raw = [0u8; 104];
    let len = get_bytes(fd, libc::SOL_TCP, libc::TCP_INFO, &mut raw)?;
    let field = |index: usize| {
        let at = 8 + 4 * index;
        match raw[..len].get(at..at + 4) {
            Some(b) => u32::from_ne_bytes([b[0], b[1], b[2], b[3]]),
            None => 0,
        }
    };
    Ok(TcpInfo {
        unacked: field(4),
        sacked: field(5),
        lost: field(6),
        retrans: field(7),
        fackets: field(8),
        rtt: field(15),
        rtt_var: field(16),
        reordering: field(20),
    })
}

/// Has the kernel keep the first packet of each accepted connection: 1 from its IP header on, 2 with the frame around it.
pub fn set_save_syn(fd: impl AsFd, mode: u8) -> io::Result<()> {
    set_int(fd, libc::SOL_TCP, libc::TCP_SAVE_SYN, c_int::from(mode))
}

/// That packet of an accepted connection. The kernel forgets it then.
pub fn saved_syn(fd: impl AsFd) -> io::Result<Vec<u8>> {
    /// The longest headers of Ethernet, IP and TCP, with room for those of IPv6 between.
    const LEN_MAX: usize = 512;
    let mut packet = vec![0; LEN_MAX];
    let len = get_bytes(fd, libc::SOL_TCP, libc::TCP_SAVED_SYN, &mut packet)?;
    packet.truncate(len);
    match packet.is_empty() {
        true => Err(io::ErrorKind::NotFound.into()),
        false => Ok(packet),
    }
}

/// The key by which every packet of every peer is signed (RFC 2385); packets that are not are dropped.
pub fn set_md5_key(fd: impl AsFd, key: &[u8]) -> io::Result<()> {
    let fd = fd.as_fd();
    let any: [u8; 16] = Ipv6Addr::UNSPECIFIED.octets();
    if sockopt::socket_domain(fd)? == rustix::net::AddressFamily::INET {
        return set_md5_key_of(fd, libc::AF_INET, any, key);
    }
    set_md5_key_of(fd, libc::AF_INET6, any, key)?;
    // Peers of IPv4 come to the same socket by their mapped addresses.
    let mapped = Ipv4Addr::UNSPECIFIED.to_ipv6_mapped().octets();
    set_md5_key_of(fd, libc::AF_INET6, mapped, key)
}

fn set_md5_key_of(fd: BorrowedFd<'_>, family: c_int, addr: [u8; 16], key: &[u8]) -> io::Result<()> {
    // struct tcp_md5sig: address 128, flags 1, prefix 1, key length 2, interface 4, key 80.
    const KEY_AT: usize = 136;
    /// The prefix counts; its length stays 0, so that the address stands for all of its kind.
    const BY_PREFIX: u8 = 1;
    if key.len() > MD5_KEY_MAX {
        return Err(io::ErrorKind::InvalidInput.into());
    }
    let mut raw = [0u8; KEY_AT + MD5_KEY_MAX];
    let family = u16::try_from(family).unwrap_or_default();
    raw[..2].copy_from_slice(&family.to_ne_bytes());
    // Of IPv4 all is zero; of IPv6 the address comes behind port and flow.
    raw[8..24].copy_from_slice(&addr);
    raw[128] = BY_PREFIX;
    let len = u16::try_from(key.len()).unwrap_or_default();
    raw[130..132].copy_from_slice(&len.to_ne_bytes());
    raw[KEY_AT..KEY_AT + key.len()].copy_from_slice(key);
    set_bytes(fd, libc::SOL_TCP, libc::TCP_MD5SIG_EXT, &raw)
}

/// The longest key that the kernel takes.
pub const MD5_KEY_MAX: usize = 80;

fn unsupported() -> io::Error {
    io::ErrorKind::Unsupported.into()
}

fn set_int(fd: impl AsFd, level: c_int, name: c_int, value: c_int) -> io::Result<()> {
    set_bytes(fd, level, name, &value.to_ne_bytes())
}

fn set_bytes(fd: impl AsFd, level: c_int, name: c_int, value: &[u8]) -> io::Result<()> {
    let len = libc::socklen_t::try_from(value.len()).map_err(|_| io::ErrorKind::InvalidInput)?;
    // SAFETY: `value` outlives the call and `len` is its length; the kernel only reads it.
    let answer = unsafe {
        libc::setsockopt(
            fd.as_fd().as_raw_fd(),
            level,
            name,
            value.as_ptr().cast::<c_void>(),
            len,
        )
    };
    checked(answer)
}

fn get_bytes(fd: impl AsFd, level: c_int, name: c_int, value: &mut [u8]) -> io::Result<usize> {
    let mut len =
        libc::socklen_t::try_from(value.len()).map_err(|_| io::ErrorKind::InvalidInput)?;
    // SAFETY: the kernel writes at most `len` bytes into `value`, which is that long, and the length it wrote into `len`.
    let answer = unsafe {
        libc::getsockopt(
            fd.as_fd().as_raw_fd(),
            level,
            name,
            value.as_mut_ptr().cast::<c_void>(),
            &raw mut len,
        )
    };
    checked(answer)?;
    Ok((len as usize).min(value.len()))
}

#[cfg(test)]
mod tests {
    use std::net::SocketAddrV4;

    use super::super::socket::{Kind, bind, connect, listen, local_addr, socket};
    use super::*;
    use std::os::fd::OwnedFd;

    fn tcp() -> OwnedFd {
        socket(Family::V4, Kind::Stream).expect("a socket")
    }

    #[test]
    fn common_options_are_accepted_by_the_kernel() {
        let fd = tcp();
        set_nodelay(&fd, true).expect("nodelay");
        set_quickack(&fd, false).expect("quickack");
        set_keepalive(&fd, true).expect("keepalive");
        let (idle, every) = (Duration::from_secs(30), Duration::from_secs(5));
        set_keepalive_pace(&fd, Some(idle), Some(every), Some(3)).expect("its pace");
        set_reuseaddr(&fd, true).expect("reuseaddr");
        set_reuseport(&fd, true).expect("reuseport");
        assert_eq!(reuseport(&fd).ok(), Some(true));
        set_freebind(&fd, Family::V4).expect("freebind");
        set_defer_accept(&fd, 1).expect("defer accept");
        set_fastopen(&fd, 16).expect("fast open");
        set_user_timeout(&fd, 5000).expect("user timeout");
        set_tos(&fd, Family::V4, 0x10).expect("tos");
        set_recv_buffer(&fd, 65536).expect("receive buffer");
        set_send_buffer(&fd, 65536).expect("send buffer");
        set_max_segment(&fd, 1200).expect("segment size");
        set_bind_address_no_port(&fd).expect("late port");
        assert_eq!(bound_device(&fd).ok().as_deref(), Some(""));
    }

    #[test]
    fn v6only_is_read_back() {
        let fd = socket(Family::V6, Kind::Stream).expect("a socket");
        set_v6only(&fd, true).expect("v6only");
        assert_eq!(v6only(&fd).ok(), Some(true));
        set_v6only(&fd, false).expect("both");
        assert_eq!(v6only(&fd).ok(), Some(false));
    }

    #[test]
    fn a_connection_reports_its_round_trip() {
        let listener = tcp();
        bind(&listener, &SocketAddrV4::new(Ipv4Addr::LOCALHOST, 0).into()).expect("a port");
        listen(&listener, 4).expect("listening");
        let client = tcp();
        connect(&client, &local_addr(&listener).expect("an address")).expect("loopback");
        let info = tcp_info(&client).expect("a TCP socket");
        assert!(info.rtt < 10_000_000 && info.reordering >= 3, "{info:?}");
    }

    #[test]
    fn what_a_family_lacks_is_refused() {
        let fd = socket(Family::Unix, Kind::Stream).expect("a socket");
        assert!(set_tos(&fd, Family::Unix, 1).is_err());
        assert!(set_transparent(&fd, Family::Unix).is_err());
    }
}
