//! The tables of servers: `show servers state`, which a state file is made of, and `show servers conn`.

use crate::cli::operator::ServerRow;
use crate::cli::reply::Reply;

use super::Call;

const STATE_HEAD: &str = "1\n# be_id be_name srv_id srv_name srv_addr srv_op_state srv_admin_state \
    srv_uweight srv_iweight srv_time_since_last_change srv_check_status srv_check_result \
    srv_check_health srv_check_state srv_agent_state bk_f_forced_id srv_f_forced_id srv_fqdn \
    srv_port srvrecord srv_use_ssl srv_check_port srv_check_addr srv_agent_addr srv_agent_port\n";

const CONN_HEAD: &str = "# bkname/svname bkid/svid addr port - purge_delay used_cur used_max \
    need_est unsafe_nb safe_nb idle_lim idle_cur idle_per_thr";

/// `show servers state`
pub(super) fn states(call: &mut Call<'_>) -> Result<Reply, Reply> {
    let servers = servers(call)?;
    let lines: String = servers.iter().map(state_line).collect();
    Ok(Reply::long([STATE_HEAD, &lines].concat().into_bytes()))
}

/// `show servers conn`
pub(super) fn connections(call: &mut Call<'_>) -> Result<Reply, Reply> {
    let servers = servers(call)?;
    let workers = servers.first().map_or(1, |row| row.idle.len());
    let lines: String = servers.iter().map(conn_line).collect();
    let text = format!("{CONN_HEAD}[{workers}]\n{lines}");
    Ok(Reply::long(text.into_bytes()))
}

/// The servers of the backend that is named, or all.
fn servers(call: &Call<'_>) -> Result<Vec<ServerRow>, Reply> {
    let backend = match call.word(3) {
        "" => None,
        name => {
            let found = call.operator.backend(name);
            Some(found.ok_or_else(|| Reply::error("Can't find backend."))?)
        }
    };
    let mask = call.settings.mask;
    let rows = call.operator.servers(backend).into_iter();
    Ok(rows.map(|row| row.masked(mask)).collect())
}

fn state_line(row: &ServerRow) -> String {
    let dash = |text: &Option<String>| text.clone().unwrap_or_else(|| "-".to_owned());
    let [status, result, health, state] = row.check;
    format!(
        "{} {} {} {} {} {} {} {} {} {} {status} {result} {health} {state} {} {} {} {} {} {} {} {} {} {} {}\n",
        row.backend.0,
        row.backend.1,
        row.server.0,
        row.server.1,
        row.address,
        row.operational,
        row.administrative,
        row.weights.0,
        row.weights.1,
        row.since_change,
        row.agent_state,
        u8::from(row.backend_forced),
        u8::from(row.forced),
        dash(&row.fqdn),
        row.port,
        dash(&row.record),
        row.tls,
        row.check_target.0,
        dash(&row.check_target.1),
        dash(&row.agent_target.1),
        row.agent_target.0,
    )
}

fn conn_line(row: &ServerRow) -> String {
    let [used, used_max, safe, unsafe_, limit] = row.connections;
    let idle: u32 = row.idle.iter().sum();
    let each: Vec<String> = row.idle.iter().map(u32::to_string).collect();
    format!(
        "{}/{} {}/{} {} {} - {} {used} {used_max} {used_max} {unsafe_} {safe} {limit} {idle} {}\n",
        row.backend.1,
        row.server.1,
        row.backend.0,
        row.server.0,
        row.address,
        row.port,
        row.purge_delay.get(),
        each.join(" "),
    )
}

#[cfg(test)]
mod tests {
    use crate::cli::rig::ask;
    use crate::site::Level;

    #[test]
    fn servers_are_listed() {
        let state = ask(Level::User, "show servers state b\n");
        assert!(state.starts_with("1\n# be_id be_name srv_id "));
        assert!(
            state.ends_with("\n3 b 1 s1 127.0.0.1 2 0 5 10 1 8 2 0 6 0 0 0 - 80 - 0 0 - - 0\n\n"),
            "{state}"
        );
        let conn = ask(Level::User, "show servers conn\n");
        assert!(
            conn.ends_with("idle_per_thr[2]\nb/s1 3/1 127.0.0.1 80 - 5000 0 1 1 0 0 -1 0 0 0\n\n"),
            "{conn}"
        );
    }
}
