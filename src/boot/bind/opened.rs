//! The sockets of one wish, bound and not yet listening: taken over, inherited, or opened anew.
//!
//! Always true: what is dropped before it is published leaves no trace, neither descriptor nor path.

use std::io;
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};

use super::{Settings, Wish};
use crate::addr::SockAddr;
use crate::boot::handover::Taken;
use crate::sys::{options, process, socket};

/// Sockets that were opened for one wish, and the temporary name of a unix path that is still to be replaced.
pub(super) struct Opened {
    pub(super) sockets: Vec<OwnedFd>,
    rename: Option<(PathBuf, PathBuf)>,
}

impl Opened {
    fn of(sockets: Vec<OwnedFd>) -> Self {
        Self {
            sockets,
            rename: None,
        }
    }

    /// Gives a unix path its final name; whoever had that name is replaced in one step.
    pub(super) fn publish(&mut self) -> io::Result<()> {
        if let Some((from, to)) = &self.rename {
            std::fs::rename(from, to)?;
            self.rename = None;
        }
        Ok(())
    }
}

impl Drop for Opened {
    fn drop(&mut self) {
        if let Some((temporary, _)) = &self.rename {
            let _ = std::fs::remove_file(temporary);
        }
    }
}

/// Opens what is wanted: from what was taken, an inherited descriptor, or anew.
pub(super) fn open(wish: &Wish, taken: &[Taken]) -> io::Result<Opened> {
    if let Some(number) = wish.inherited {
        let fd = socket::adopt(number)?;
        socket::set_nonblocking(&fd, true)?;
        return Ok(Opened::of(vec![fd]));
    }
    let mut sockets = Vec::with_capacity(wish.shards.max(1));
    for fitting in taken.iter().filter(|taken| fits(wish, taken)) {
        sockets.push(socket::duplicate(&fitting.socket)?);
    }
    for fd in &sockets {
        set_changeable(fd, &wish.settings)?;
    }
    match &wish.endpoint {
        SockAddr::Unix(_) | SockAddr::Abstract(_) if !sockets.is_empty() => Ok(Opened::of(sockets)),
        SockAddr::Unix(path) => open_path(wish, Path::new(&**path)),
        SockAddr::Abstract(_) => {
            let fd = socket::socket(socket::Family::Unix, socket::Kind::Stream)?;
            socket::bind(&fd, &wish.endpoint.to_raw()?)?;
            Ok(Opened::of(vec![fd]))
        }
        SockAddr::Inet(_) => {
            while sockets.len() < wish.shards.max(1) {
                sockets.push(wish.settings.carriage.place(|| open_inet(wish))?);
            }
            Ok(Opened::of(sockets))
        }
    }
}

/// Whether a passed socket is what is wanted.
fn fits(wish: &Wish, taken: &Taken) -> bool {
    let settings = &wish.settings;
    let v6only = settings.v6only.is_none_or(|wanted| match &wish.endpoint {
        SockAddr::Inet(addr) if addr.is_ipv6() => wanted == taken.v6only,
        SockAddr::Inet(_) | SockAddr::Unix(_) | SockAddr::Abstract(_) => true,
    });
    taken.addr == wish.endpoint
        && v6only
        && settings.interface.as_deref().unwrap_or("") == taken.interface
        && settings.carriage.namespace_name() == taken.namespace
}

fn open_inet(wish: &Wish) -> io::Result<OwnedFd> {
    let raw = wish.endpoint.to_raw()?;
    let family = socket::Family::of(&raw).ok_or(io::ErrorKind::Unsupported)?;
    let fd = socket::socket(family, socket::Kind::Stream)?;
    let settings = &wish.settings;
    options::set_reuseaddr(&fd, true)?;
    if settings.reuseport {
        options::set_reuseport(&fd, true)?;
    }
    if let (socket::Family::V6, Some(only)) = (family, settings.v6only) {
        options::set_v6only(&fd, only)?;
    }
    if settings.transparent {
        options::set_transparent(&fd, family).or_else(|_| options::set_freebind(&fd, family))?;
    }
    if let Some(interface) = &settings.interface {
        options::bind_to_device(&fd, interface)?;
    }
    set_changeable(&fd, settings)?;
    socket::bind(&fd, &raw)?;
    Ok(fd)
}

/// Options that can be set on a socket that listens already.
fn set_changeable(fd: &OwnedFd, settings: &Settings) -> io::Result<()> {
    /// Seconds after which a connection is handed over although it brought no data.
    const DEFER_SECONDS: i32 = 1;
    /// Unfinished handshakes that may bring data.
    const FAST_OPEN_QUEUE: i32 = 1024;
    if let Some(bytes) = settings.buffers.0 {
        options::set_recv_buffer(fd, bytes)?;
    }
    if let Some(bytes) = settings.buffers.1 {
        options::set_send_buffer(fd, bytes)?;
    }
    if let Some(bytes) = settings.unsent {
        // A socket of another kind has no such mark.
        let _ = options::set_unsent_mark(fd, bytes);
    }
    if let Some(mss) = settings.mss {
        options::set_max_segment(fd, i32::from(mss))?;
    }
    if settings.defer_accept {
        options::set_defer_accept(fd, DEFER_SECONDS)?;
    }
    if settings.fast_open {
        options::set_fastopen(fd, FAST_OPEN_QUEUE)?;
    }
    if let Some(millis) = settings.user_timeout {
        options::set_user_timeout(fd, millis)?;
    }
    if settings.save_syn > 0 {
        options::set_save_syn(fd, settings.save_syn)?;
    }
    settings.carriage.set(fd)
}

/// Binds a path under a temporary name beside the final one, with its owner and permissions set before anyone can connect.
fn open_path(wish: &Wish, path: &Path) -> io::Result<Opened> {
    use std::os::unix::fs::{PermissionsExt, chown};
    let mut temporary = path.as_os_str().to_owned();
    temporary.push(format!(".{}.tmp", process::pid()));
    let temporary = PathBuf::from(temporary);
    let _ = std::fs::remove_file(&temporary);
    let fd = socket::socket(socket::Family::Unix, socket::Kind::Stream)?;
    let name = SockAddr::Unix(temporary.to_string_lossy().into());
    socket::bind(&fd, &name.to_raw()?)?;
    let opened = Opened {
        sockets: vec![fd],
        rename: Some((temporary.clone(), path.to_owned())),
    };
    let settings = &wish.settings;
    if settings.uid.is_some() || settings.gid.is_some() {
        chown(&temporary, settings.uid, settings.gid)?;
    }
    if let Some(mode) = settings.mode {
        std::fs::set_permissions(&temporary, std::fs::Permissions::from_mode(mode))?;
    }
    Ok(opened)
}
