//! Persistence by cookie: a client goes where its cookie says, and is given one that says where it went.

use super::{Kit, Stream};
use crate::balance::persist::{Age, ClientCookie, Fate, Mode, Persist, ServerCookie, Situation};
use crate::http::{Head, Known, Method, cookie};
use crate::id::{BackendId, ServerId};
use crate::site::Site;

/// What a client's cookie said, and what became of it.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Persistence {
    pub(super) client: ClientCookie,
    pub(super) server: ServerCookie,
    /// The server that the cookie named and that was followed.
    named: Option<ServerId>,
    /// `force-persist`: a server that is down is followed too.
    pub(super) forced: bool,
    /// `ignore-persist`: cookies and tables name no server.
    pub(super) ignored: bool,
    /// A rule, a cookie or a table chose the server.
    pub(super) directed: bool,
    last: Option<u64>,
    first: Option<u64>,
}

impl Stream {
    /// The server that the client's cookie names, if it may be chosen; the cookie is hidden from servers where it has to be.
    pub(super) fn cookie_server(
        &mut self,
        kit: &Kit,
        site: &Site,
        id: BackendId,
    ) -> Option<ServerId> {
        let backend = site.backend(id);
        let persist = backend.persist.as_ref()?;
        let head = self.request.head_mut()?;
        let now = seconds(kit);
        let Some((at, value)) = client_cookie(head, persist.name.as_bytes()) else {
            self.persistence.client = ClientCookie::Absent;
            return None;
        };
        let presented = persist.read(&value, now);
        self.persistence.last = presented.last;
        self.persistence.first = presented.first;
        let computed = backend.computed.load();
        let named = presented.server.and_then(|wanted| {
            let mut servers = backend.servers.iter().copied();
            servers.find(|&id| site.server(id).cookie_value(&computed).as_deref() == Some(wanted))
        });
        settle_request(head, at, persist, presented.rest);
        let usable = named.is_some_and(|id| site.server(id).health.is_alive());
        let follows = named.is_some_and(|id| self.may_follow(site, backend, id));
        self.persistence.client = match (presented.state, named) {
            (Age::Expired, _) => ClientCookie::Expired,
            (Age::Old, _) => ClientCookie::Old,
            (Age::Fresh, None) => ClientCookie::Invalid,
            (Age::Fresh, Some(_)) if !usable => ClientCookie::Down,
            (Age::Fresh, Some(_)) => ClientCookie::Valid,
        };
        self.persistence.named = named.filter(|_| follows && !self.persistence.ignored);
        self.persistence.named
    }

    /// Gives the client the cookie of the server that answered.
    pub(super) fn set_cookie(&mut self, kit: &Kit) {
        let site = kit.site.clone();
        let Some(backend) = self.backend.map(|id| site.backend(id)) else {
            return;
        };
        let (Some(persist), Some(server)) = (&backend.persist, self.server) else {
            return;
        };
        let value = site.server(server).cookie_value(&backend.computed.load());
        let value = value
            .as_deref()
            .and_then(|value| std::str::from_utf8(value).ok());
        let followed = self.persistence.named == Some(server);
        let is_post = self
            .request_head
            .as_deref()
            .is_some_and(|head| head.method() == Method::Post);
        let Some(head) = self.response.head_mut() else {
            return;
        };
        let (fate, set_by_server) = settle_response(head, persist, value, followed);
        self.persistence.server = fate;
        let situation = Situation {
            server: value,
            followed,
            last: self.persistence.last,
            first: self.persistence.first,
            is_post,
            server_set_one: set_by_server,
            ignored: self.persistence.ignored,
            now: seconds(kit),
        };
        if let Some((field, state)) = persist.answer(&situation) {
            head.push_known(Known::SetCookie, field.as_bytes());
            self.persistence.server = state;
            if persist.no_cache && could_be_cached(head) {
                head.push_known(Known::CacheControl, b"private");
            }
        } else if fate == ServerCookie::Untracked {
            self.persistence.server = ServerCookie::Absent;
        }
    }
}

/// Whether a cache on the way could keep the response: it says for how long, or how to ask again.
fn could_be_cached(head: &Head) -> bool {
    let says = |name: &[u8]| head.get(name).is_some();
    says(b"etag") || says(b"last-modified") || says(b"expires") || says(b"cache-control")
}

fn seconds(kit: &Kit) -> u64 {
    u64::try_from(kit.wall.secs).unwrap_or(0)
}

/// The place and value of a client's cookie.
fn client_cookie(head: &Head, name: &[u8]) -> Option<(usize, Vec<u8>)> {
    let mut from = 0;
    while let Some(at) = head.find(b"cookie", from) {
        if let Some(value) = head
            .field(at)
            .and_then(|(_, line)| cookie::find(line, name))
        {
            return Some((at, value.to_vec()));
        }
        from = at + 1;
    }
    None
}

/// Takes our part of a client's cookie out of what the server sees.
fn settle_request(head: &mut Head, at: usize, persist: &Persist, rest: &[u8]) {
    let Some(line) = head.field(at).map(|(_, line)| line.to_vec()) else {
        return;
    };
    let Some(crumb) = cookie::crumb(&line, persist.name.as_bytes()) else {
        return;
    };
    if persist.hides_from_server() {
        match cookie::without(&line, &crumb) {
            left if left.is_empty() => head.remove_at(at),
            left => head.replace_value(at, &left),
        }
    } else if persist.mode == Mode::Prefix {
        head.replace_value(at, &cookie::with_value(&line, &crumb, rest));
    }
}

/// Does with the server's own cookies of the name what the mode says; also says whether there was one.
fn settle_response(
    head: &mut Head,
    persist: &Persist,
    value: Option<&str>,
    followed: bool,
) -> (ServerCookie, bool) {
    let mut state = ServerCookie::Untracked;
    let mut from = 0;
    while let Some(at) = head.find(b"set-cookie", from) {
        from = at + 1;
        let Some(line) = head.field(at).map(|(_, line)| line.to_vec()) else {
            continue;
        };
        let Some((name, own)) =
            cookie::set_cookie(&line).filter(|(name, _)| *name == persist.name.as_bytes())
        else {
            continue;
        };
        let (fate, became) = persist.on_server_cookie(value, followed, own);
        state = became;
        match fate {
            Fate::Keep => {}
            Fate::Remove => {
                head.remove_at(at);
                from = at;
            }
            Fate::Replace(new) => {
                let behind = line
                    .iter()
                    .position(|&byte| byte == b';')
                    .map_or(&[][..], |end| &line[end..]);
                head.replace_value(at, &[name, b"=", &new, behind].concat());
            }
        }
    }
    (state, state != ServerCookie::Untracked)
}
