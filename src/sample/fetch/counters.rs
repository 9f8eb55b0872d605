//! Stick counters: of what the stream tracks (`sc_*`, `sc0_*` to `sc2_*`) and of the client's
//! address (`src_*`).
//!
//! A tracked counter may be read from another table than the one it is tracked in, by the same
//! key. An entry that does not exist counts zero; a table that does not store the number yields
//! nothing.

use crate::id::TableId;
use crate::sample::arg::{Arg, Args, Spec, Wants};
use crate::sample::census::Change;
use crate::sample::expr::Sampled;
use crate::sample::facts::{Counter, Facts, Tracked};
use crate::sample::place::Source;
use crate::sample::row::Fetch;
use crate::value::{Kind, Value};

use Source::{ClientAddress, Internal};

const OF: Spec = Spec::opt(&[Wants::Table]);
const ANY: Spec = Spec::from(1, &[Wants::Int, Wants::Table]);
const ANY_AT: Spec = Spec::from(2, &[Wants::Int, Wants::Int, Wants::Table]);
const AT: Spec = Spec::from(1, &[Wants::Int, Wants::Table]);
const SRC: Spec = Spec::all(&[Wants::Table]);
const SRC_AT: Spec = Spec::all(&[Wants::Int, Wants::Table]);

/// The family.
pub(super) const ROWS: &[Fetch] = &[
    Fetch::once(
        "sc_bytes_in_rate",
        Kind::Int,
        Internal,
        any::bytes_in_rate,
        "Bytes from clients a period.",
    )
    .with(ANY),
    Fetch::once(
        "sc_bytes_out_rate",
        Kind::Int,
        Internal,
        any::bytes_out_rate,
        "Bytes to clients a period.",
    )
    .with(ANY),
    Fetch::once(
        "sc_conn_cnt",
        Kind::Int,
        Internal,
        any::conn_cnt,
        "Connections in total.",
    )
    .with(ANY),
    Fetch::once(
        "sc_conn_cur",
        Kind::Int,
        Internal,
        any::conn_cur,
        "Connections at this moment.",
    )
    .with(ANY),
    Fetch::once(
        "sc_conn_rate",
        Kind::Int,
        Internal,
        any::conn_rate,
        "Connections a period.",
    )
    .with(ANY),
    Fetch::once(
        "sc_get_gpc0",
        Kind::Int,
        Internal,
        any::get_gpc0,
        "The first general counter.",
    )
    .with(ANY),
    Fetch::once(
        "sc_get_gpc1",
        Kind::Int,
        Internal,
        any::get_gpc1,
        "The second general counter.",
    )
    .with(ANY),
    Fetch::once(
        "sc_get_gpt0",
        Kind::Int,
        Internal,
        any::get_gpt0,
        "The general tag.",
    )
    .with(ANY),
    Fetch::once(
        "sc_glitch_cnt",
        Kind::Int,
        Internal,
        any::glitch_cnt,
        "Protocol glitches in total.",
    )
    .with(ANY),
    Fetch::once(
        "sc_glitch_rate",
        Kind::Int,
        Internal,
        any::glitch_rate,
        "Protocol glitches a period.",
    )
    .with(ANY),
    Fetch::once(
        "sc_gpc0_rate",
        Kind::Int,
        Internal,
        any::gpc0_rate,
        "Increments of the first general counter a period.",
    )
    .with(ANY),
    Fetch::once(
        "sc_gpc1_rate",
        Kind::Int,
        Internal,
        any::gpc1_rate,
        "Increments of the second general counter a period.",
    )
    .with(ANY),
    Fetch::once(
        "sc_http_err_cnt",
        Kind::Int,
        Internal,
        any::http_err_cnt,
        "Requests in error in total.",
    )
    .with(ANY),
    Fetch::once(
        "sc_http_err_rate",
        Kind::Int,
        Internal,
        any::http_err_rate,
        "Requests in error a period.",
    )
    .with(ANY),
    Fetch::once(
        "sc_http_fail_cnt",
        Kind::Int,
        Internal,
        any::http_fail_cnt,
        "Failed responses in total.",
    )
    .with(ANY),
    Fetch::once(
        "sc_http_fail_rate",
        Kind::Int,
        Internal,
        any::http_fail_rate,
        "Failed responses a period.",
    )
    .with(ANY),
    Fetch::once(
        "sc_http_req_cnt",
        Kind::Int,
        Internal,
        any::http_req_cnt,
        "Requests in total.",
    )
    .with(ANY),
    Fetch::once(
        "sc_http_req_rate",
        Kind::Int,
        Internal,
        any::http_req_rate,
        "Requests a period.",
    )
    .with(ANY),
    Fetch::once(
        "sc_kbytes_in",
        Kind::Int,
        ClientAddress,
        any::kbytes_in,
        "Kilobytes from clients in total.",
    )
    .with(ANY),
    Fetch::once(
        "sc_kbytes_out",
        Kind::Int,
        ClientAddress,
        any::kbytes_out,
        "Kilobytes to clients in total.",
    )
    .with(ANY),
    Fetch::once(
        "sc_sess_cnt",
        Kind::Int,
        Internal,
        any::sess_cnt,
        "Sessions in total.",
    )
    .with(ANY),
    Fetch::once(
        "sc_sess_rate",
        Kind::Int,
        Internal,
        any::sess_rate,
        "Sessions a period.",
    )
    .with(ANY),
    Fetch::acts(
        "sc_clr_gpc0",
        Kind::Int,
        Internal,
        any::clr_gpc0,
        "Clears the first general counter and yields what it was.",
    )
    .with(ANY),
    Fetch::acts(
        "sc_clr_gpc1",
        Kind::Int,
        Internal,
        any::clr_gpc1,
        "Clears the second general counter and yields what it was.",
    )
    .with(ANY),
    Fetch::acts(
        "sc_inc_gpc0",
        Kind::Int,
        Internal,
        any::inc_gpc0,
        "Increments the first general counter and yields it.",
    )
    .with(ANY),
    Fetch::acts(
        "sc_inc_gpc1",
        Kind::Int,
        Internal,
        any::inc_gpc1,
        "Increments the second general counter and yields it.",
    )
    .with(ANY),
    Fetch::once(
        "sc_tracked",
        Kind::Bool,
        Internal,
        any::tracked,
        "Whether the counter tracks an entry.",
    )
    .with(ANY),
    Fetch::once(
        "sc_trackers",
        Kind::Int,
        Internal,
        any::trackers,
        "How many streams track the entry.",
    )
    .with(ANY),
    Fetch::once(
        "sc_key",
        Kind::Any,
        Internal,
        any::key,
        "The key of the tracked entry.",
    )
    .with(Spec::all(&[Wants::Int])),
    Fetch::once(
        "sc_get_gpc",
        Kind::Int,
        Internal,
        any::entry_gpc,
        "A general counter of the array.",
    )
    .with(ANY_AT),
    Fetch::once(
        "sc_get_gpt",
        Kind::Int,
        Internal,
        any::entry_gpt,
        "A general tag of the array.",
    )
    .with(ANY_AT),
    Fetch::once(
        "sc_gpc_rate",
        Kind::Int,
        Internal,
        any::gpc_rate,
        "Increments of a general counter of the array a period.",
    )
    .with(ANY_AT),
    Fetch::acts(
        "sc_clr_gpc",
        Kind::Int,
        Internal,
        any::clr_gpc,
        "Clears a general counter of the array and yields what it was.",
    )
    .with(ANY_AT),
    Fetch::acts(
        "sc_inc_gpc",
        Kind::Int,
        Internal,
        any::inc_gpc,
        "Increments a general counter of the array and yields it.",
    )
    .with(ANY_AT),
    Fetch::once(
        "sc0_bytes_in_rate",
        Kind::Int,
        Internal,
        first::bytes_in_rate,
        "Bytes from clients a period.",
    )
    .with(OF),
    Fetch::once(
        "sc0_bytes_out_rate",
        Kind::Int,
        Internal,
        first::bytes_out_rate,
        "Bytes to clients a period.",
    )
    .with(OF),
    Fetch::once(
        "sc0_conn_cnt",
        Kind::Int,
        Internal,
        first::conn_cnt,
        "Connections in total.",
    )
    .with(OF),
    Fetch::once(
        "sc0_conn_cur",
        Kind::Int,
        Internal,
        first::conn_cur,
        "Connections at this moment.",
    )
    .with(OF),
    Fetch::once(
        "sc0_conn_rate",
        Kind::Int,
        Internal,
        first::conn_rate,
        "Connections a period.",
    )
    .with(OF),
    Fetch::once(
        "sc0_get_gpc0",
        Kind::Int,
        Internal,
        first::get_gpc0,
        "The first general counter.",
    )
    .with(OF),
    Fetch::once(
        "sc0_get_gpc1",
        Kind::Int,
        Internal,
        first::get_gpc1,
        "The second general counter.",
    )
    .with(OF),
    Fetch::once(
        "sc0_get_gpt0",
        Kind::Int,
        Internal,
        first::get_gpt0,
        "The general tag.",
    )
    .with(OF),
    Fetch::once(
        "sc0_glitch_cnt",
        Kind::Int,
        Internal,
        first::glitch_cnt,
        "Protocol glitches in total.",
    )
    .with(OF),
    Fetch::once(
        "sc0_glitch_rate",
        Kind::Int,
        Internal,
        first::glitch_rate,
        "Protocol glitches a period.",
    )
    .with(OF),
    Fetch::once(
        "sc0_gpc0_rate",
        Kind::Int,
        Internal,
        first::gpc0_rate,
        "Increments of the first general counter a period.",
    )
    .with(OF),
    Fetch::once(
        "sc0_gpc1_rate",
        Kind::Int,
        Internal,
        first::gpc1_rate,
        "Increments of the second general counter a period.",
    )
    .with(OF),
    Fetch::once(
        "sc0_http_err_cnt",
        Kind::Int,
        Internal,
        first::http_err_cnt,
        "Requests in error in total.",
    )
    .with(OF),
    Fetch::once(
        "sc0_http_err_rate",
        Kind::Int,
        Internal,
        first::http_err_rate,
        "Requests in error a period.",
    )
    .with(OF),
    Fetch::once(
        "sc0_http_fail_cnt",
        Kind::Int,
        Internal,
        first::http_fail_cnt,
        "Failed responses in total.",
    )
    .with(OF),
    Fetch::once(
        "sc0_http_fail_rate",
        Kind::Int,
        Internal,
        first::http_fail_rate,
        "Failed responses a period.",
    )
    .with(OF),
    Fetch::once(
        "sc0_http_req_cnt",
        Kind::Int,
        Internal,
        first::http_req_cnt,
        "Requests in total.",
    )
    .with(OF),
    Fetch::once(
        "sc0_http_req_rate",
        Kind::Int,
        Internal,
        first::http_req_rate,
        "Requests a period.",
    )
    .with(OF),
    Fetch::once(
        "sc0_kbytes_in",
        Kind::Int,
        ClientAddress,
        first::kbytes_in,
        "Kilobytes from clients in total.",
    )
    .with(OF),
    Fetch::once(
        "sc0_kbytes_out",
        Kind::Int,
        ClientAddress,
        first::kbytes_out,
        "Kilobytes to clients in total.",
    )
    .with(OF),
    Fetch::once(
        "sc0_sess_cnt",
        Kind::Int,
        Internal,
        first::sess_cnt,
        "Sessions in total.",
    )
    .with(OF),
    Fetch::once(
        "sc0_sess_rate",
        Kind::Int,
        Internal,
        first::sess_rate,
        "Sessions a period.",
    )
    .with(OF),
    Fetch::acts(
        "sc0_clr_gpc0",
        Kind::Int,
        Internal,
        first::clr_gpc0,
        "Clears the first general counter and yields what it was.",
    )
    .with(OF),
    Fetch::acts(
        "sc0_clr_gpc1",
        Kind::Int,
        Internal,
        first::clr_gpc1,
        "Clears the second general counter and yields what it was.",
    )
    .with(OF),
    Fetch::acts(
        "sc0_inc_gpc0",
        Kind::Int,
        Internal,
        first::inc_gpc0,
        "Increments the first general counter and yields it.",
    )
    .with(OF),
    Fetch::acts(
        "sc0_inc_gpc1",
        Kind::Int,
        Internal,
        first::inc_gpc1,
        "Increments the second general counter and yields it.",
    )
    .with(OF),
    Fetch::once(
        "sc0_tracked",
        Kind::Bool,
        Internal,
        first::tracked,
        "Whether the counter tracks an entry.",
    )
    .with(OF),
    Fetch::once(
        "sc0_trackers",
        Kind::Int,
        Internal,
        first::trackers,
        "How many streams track the entry.",
    )
    .with(OF),
    Fetch::once(
        "sc0_key",
        Kind::Any,
        Internal,
        first::key,
        "The key of the tracked entry.",
    )
    .with(OF),
    Fetch::once(
        "sc1_bytes_in_rate",
        Kind::Int,
        Internal,
        second::bytes_in_rate,
        "Bytes from clients a period.",
    )
    .with(OF),
    Fetch::once(
        "sc1_bytes_out_rate",
        Kind::Int,
        Internal,
        second::bytes_out_rate,
        "Bytes to clients a period.",
    )
    .with(OF),
    Fetch::once(
        "sc1_conn_cnt",
        Kind::Int,
        Internal,
        second::conn_cnt,
        "Connections in total.",
    )
    .with(OF),
    Fetch::once(
        "sc1_conn_cur",
        Kind::Int,
        Internal,
        second::conn_cur,
        "Connections at this moment.",
    )
    .with(OF),
    Fetch::once(
        "sc1_conn_rate",
        Kind::Int,
        Internal,
        second::conn_rate,
        "Connections a period.",
    )
    .with(OF),
    Fetch::once(
        "sc1_get_gpc0",
        Kind::Int,
        Internal,
        second::get_gpc0,
        "The first general counter.",
    )
    .with(OF),
    Fetch::once(
        "sc1_get_gpc1",
        Kind::Int,
        Internal,
        second::get_gpc1,
        "The second general counter.",
    )
    .with(OF),
    Fetch::once(
        "sc1_get_gpt0",
        Kind::Int,
        Internal,
        second::get_gpt0,
        "The general tag.",
    )
    .with(OF),
    Fetch::once(
        "sc1_glitch_cnt",
        Kind::Int,
        Internal,
        second::glitch_cnt,
        "Protocol glitches in total.",
    )
    .with(OF),
    Fetch::once(
        "sc1_glitch_rate",
        Kind::Int,
        Internal,
        second::glitch_rate,
        "Protocol glitches a period.",
    )
    .with(OF),
    Fetch::once(
        "sc1_gpc0_rate",
        Kind::Int,
        Internal,
        second::gpc0_rate,
        "Increments of the first general counter a period.",
    )
    .with(OF),
    Fetch::once(
        "sc1_gpc1_rate",
        Kind::Int,
        Internal,
        second::gpc1_rate,
        "Increments of the second general counter a period.",
    )
    .with(OF),
    Fetch::once(
        "sc1_http_err_cnt",
        Kind::Int,
        Internal,
        second::http_err_cnt,
        "Requests in error in total.",
    )
    .with(OF),
    Fetch::once(
        "sc1_http_err_rate",
        Kind::Int,
        Internal,
        second::http_err_rate,
        "Requests in error a period.",
    )
    .with(OF),
    Fetch::once(
        "sc1_http_fail_cnt",
        Kind::Int,
        Internal,
        second::http_fail_cnt,
        "Failed responses in total.",
    )
    .with(OF),
    Fetch::once(
        "sc1_http_fail_rate",
        Kind::Int,
        Internal,
        second::http_fail_rate,
        "Failed responses a period.",
    )
    .with(OF),
    Fetch::once(
        "sc1_http_req_cnt",
        Kind::Int,
        Internal,
        second::http_req_cnt,
        "Requests in total.",
    )
    .with(OF),
    Fetch::once(
        "sc1_http_req_rate",
        Kind::Int,
        Internal,
        second::http_req_rate,
        "Requests a period.",
    )
    .with(OF),
    Fetch::once(
        "sc1_kbytes_in",
        Kind::Int,
        ClientAddress,
        second::kbytes_in,
        "Kilobytes from clients in total.",
    )
    .with(OF),
    Fetch::once(
        "sc1_kbytes_out",
        Kind::Int,
        ClientAddress,
        second::kbytes_out,
        "Kilobytes to clients in total.",
    )
    .with(OF),
    Fetch::once(
        "sc1_sess_cnt",
        Kind::Int,
        Internal,
        second::sess_cnt,
        "Sessions in total.",
    )
    .with(OF),
    Fetch::once(
        "sc1_sess_rate",
        Kind::Int,
        Internal,
        second::sess_rate,
        "Sessions a period.",
    )
    .with(OF),
    Fetch::acts(
        "sc1_clr_gpc0",
        Kind::Int,
        Internal,
        second::clr_gpc0,
        "Clears the first general counter and yields what it was.",
    )
    .with(OF),
    Fetch::acts(
        "sc1_clr_gpc1",
        Kind::Int,
        Internal,
        second::clr_gpc1,
        "Clears the second general counter and yields what it was.",
    )
    .with(OF),
    Fetch::acts(
        "sc1_inc_gpc0",
        Kind::Int,
        Internal,
        second::inc_gpc0,
        "Increments the first general counter and yields it.",
    )
    .with(OF),
    Fetch::acts(
        "sc1_inc_gpc1",
        Kind::Int,
        Internal,
        second::inc_gpc1,
        "Increments the second general counter and yields it.",
    )
    .with(OF),
    Fetch::once(
        "sc1_tracked",
        Kind::Bool,
        Internal,
        second::tracked,
        "Whether the counter tracks an entry.",
    )
    .with(OF),
    Fetch::once(
        "sc1_trackers",
        Kind::Int,
        Internal,
        second::trackers,
        "How many streams track the entry.",
    )
    .with(OF),
    Fetch::once(
        "sc1_key",
        Kind::Any,
        Internal,
        second::key,
        "The key of the tracked entry.",
    )
    .with(OF),
    Fetch::once(
        "sc2_bytes_in_rate",
        Kind::Int,
        Internal,
        third::bytes_in_rate,
        "Bytes from clients a period.",
    )
    .with(OF),
    Fetch::once(
        "sc2_bytes_out_rate",
        Kind::Int,
        Internal,
        third::bytes_out_rate,
        "Bytes to clients a period.",
    )
    .with(OF),
    Fetch::once(
        "sc2_conn_cnt",
        Kind::Int,
        Internal,
        third::conn_cnt,
        "Connections in total.",
    )
    .with(OF),
    Fetch::once(
        "sc2_conn_cur",
        Kind::Int,
        Internal,
        third::conn_cur,
        "Connections at this moment.",
    )
    .with(OF),
    Fetch::once(
        "sc2_conn_rate",
        Kind::Int,
        Internal,
        third::conn_rate,
        "Connections a period.",
    )
    .with(OF),
    Fetch::once(
        "sc2_get_gpc0",
        Kind::Int,
        Internal,
        third::get_gpc0,
        "The first general counter.",
    )
    .with(OF),
    Fetch::once(
        "sc2_get_gpc1",
        Kind::Int,
        Internal,
        third::get_gpc1,
        "The second general counter.",
    )
    .with(OF),
    Fetch::once(
        "sc2_get_gpt0",
        Kind::Int,
        Internal,
        third::get_gpt0,
        "The general tag.",
    )
    .with(OF),
    Fetch::once(
        "sc2_glitch_cnt",
        Kind::Int,
        Internal,
        third::glitch_cnt,
        "Protocol glitches in total.",
    )
    .with(OF),
    Fetch::once(
        "sc2_glitch_rate",
        Kind::Int,
        Internal,
        third::glitch_rate,
        "Protocol glitches a period.",
    )
    .with(OF),
    Fetch::once(
        "sc2_gpc0_rate",
        Kind::Int,
        Internal,
        third::gpc0_rate,
        "Increments of the first general counter a period.",
    )
    .with(OF),
    Fetch::once(
        "sc2_gpc1_rate",
        Kind::Int,
        Internal,
        third::gpc1_rate,
        "Increments of the second general counter a period.",
    )
    .with(OF),
    Fetch::once(
        "sc2_http_err_cnt",
        Kind::Int,
        Internal,
        third::http_err_cnt,
        "Requests in error in total.",
    )
    .with(OF),
    Fetch::once(
        "sc2_http_err_rate",
        Kind::Int,
        Internal,
        third::http_err_rate,
        "Requests in error a period.",
    )
    .with(OF),
    Fetch::once(
        "sc2_http_fail_cnt",
        Kind::Int,
        Internal,
        third::http_fail_cnt,
        "Failed responses in total.",
    )
    .with(OF),
    Fetch::once(
        "sc2_http_fail_rate",
        Kind::Int,
        Internal,
        third::http_fail_rate,
        "Failed responses a period.",
    )
    .with(OF),
    Fetch::once(
        "sc2_http_req_cnt",
        Kind::Int,
        Internal,
        third::http_req_cnt,
        "Requests in total.",
    )
    .with(OF),
    Fetch::once(
        "sc2_http_req_rate",
        Kind::Int,
        Internal,
        third::http_req_rate,
        "Requests a period.",
    )
    .with(OF),
    Fetch::once(
        "sc2_kbytes_in",
        Kind::Int,
        ClientAddress,
        third::kbytes_in,
        "Kilobytes from clients in total.",
    )
    .with(OF),
    Fetch::once(
        "sc2_kbytes_out",
        Kind::Int,
        ClientAddress,
        third::kbytes_out,
        "Kilobytes to clients in total.",
    )
    .with(OF),
    Fetch::once(
        "sc2_sess_cnt",
        Kind::Int,
        Internal,
        third::sess_cnt,
        "Sessions in total.",
    )
    .with(OF),
    Fetch::once(
        "sc2_sess_rate",
        Kind::Int,
        Internal,
        third::sess_rate,
        "Sessions a period.",
    )
    .with(OF),
    Fetch::acts(
        "sc2_clr_gpc0",
        Kind::Int,
        Internal,
        third::clr_gpc0,
        "Clears the first general counter and yields what it was.",
    )
    .with(OF),
    Fetch::acts(
        "sc2_clr_gpc1",
        Kind::Int,
        Internal,
        third::clr_gpc1,
        "Clears the second general counter and yields what it was.",
    )
    .with(OF),
    Fetch::acts(
        "sc2_inc_gpc0",
        Kind::Int,
        Internal,
        third::inc_gpc0,
        "Increments the first general counter and yields it.",
    )
    .with(OF),
    Fetch::acts(
        "sc2_inc_gpc1",
        Kind::Int,
        Internal,
        third::inc_gpc1,
        "Increments the second general counter and yields it.",
    )
    .with(OF),
    Fetch::once(
        "sc2_tracked",
        Kind::Bool,
        Internal,
        third::tracked,
        "Whether the counter tracks an entry.",
    )
    .with(OF),
    Fetch::once(
        "sc2_trackers",
        Kind::Int,
        Internal,
        third::trackers,
        "How many streams track the entry.",
    )
    .with(OF),
    Fetch::once(
        "sc2_key",
        Kind::Any,
        Internal,
        third::key,
        "The key of the tracked entry.",
    )
    .with(OF),
    Fetch::once(
        "src_bytes_in_rate",
        Kind::Int,
        ClientAddress,
        source::bytes_in_rate,
        "Bytes from clients a period.",
    )
    .with(SRC),
    Fetch::once(
        "src_bytes_out_rate",
        Kind::Int,
        ClientAddress,
        source::bytes_out_rate,
        "Bytes to clients a period.",
    )
    .with(SRC),
    Fetch::once(
        "src_conn_cnt",
        Kind::Int,
        ClientAddress,
        source::conn_cnt,
        "Connections in total.",
    )
    .with(SRC),
    Fetch::once(
        "src_conn_cur",
        Kind::Int,
        ClientAddress,
        source::conn_cur,
        "Connections at this moment.",
    )
    .with(SRC),
    Fetch::once(
        "src_conn_rate",
        Kind::Int,
        ClientAddress,
        source::conn_rate,
        "Connections a period.",
    )
    .with(SRC),
    Fetch::once(
        "src_get_gpc0",
        Kind::Int,
        ClientAddress,
        source::get_gpc0,
        "The first general counter.",
    )
    .with(SRC),
    Fetch::once(
        "src_get_gpc1",
        Kind::Int,
        ClientAddress,
        source::get_gpc1,
        "The second general counter.",
    )
    .with(SRC),
    Fetch::once(
        "src_get_gpt0",
        Kind::Int,
        ClientAddress,
        source::get_gpt0,
        "The general tag.",
    )
    .with(SRC),
    Fetch::once(
        "src_glitch_cnt",
        Kind::Int,
        ClientAddress,
        source::glitch_cnt,
        "Protocol glitches in total.",
    )
    .with(SRC),
    Fetch::once(
        "src_glitch_rate",
        Kind::Int,
        ClientAddress,
        source::glitch_rate,
        "Protocol glitches a period.",
    )
    .with(SRC),
    Fetch::once(
        "src_gpc0_rate",
        Kind::Int,
        ClientAddress,
        source::gpc0_rate,
        "Increments of the first general counter a period.",
    )
    .with(SRC),
    Fetch::once(
        "src_gpc1_rate",
        Kind::Int,
        ClientAddress,
        source::gpc1_rate,
        "Increments of the second general counter a period.",
    )
    .with(SRC),
    Fetch::once(
        "src_http_err_cnt",
        Kind::Int,
        ClientAddress,
        source::http_err_cnt,
        "Requests in error in total.",
    )
    .with(SRC),
    Fetch::once(
        "src_http_err_rate",
        Kind::Int,
        ClientAddress,
        source::http_err_rate,
        "Requests in error a period.",
    )
    .with(SRC),
    Fetch::once(
        "src_http_fail_cnt",
        Kind::Int,
        ClientAddress,
        source::http_fail_cnt,
        "Failed responses in total.",
    )
    .with(SRC),
    Fetch::once(
        "src_http_fail_rate",
        Kind::Int,
        ClientAddress,
        source::http_fail_rate,
        "Failed responses a period.",
    )
    .with(SRC),
    Fetch::once(
        "src_http_req_cnt",
        Kind::Int,
        ClientAddress,
        source::http_req_cnt,
        "Requests in total.",
    )
    .with(SRC),
    Fetch::once(
        "src_http_req_rate",
        Kind::Int,
        ClientAddress,
        source::http_req_rate,
        "Requests a period.",
    )
    .with(SRC),
    Fetch::once(
        "src_kbytes_in",
        Kind::Int,
        ClientAddress,
        source::kbytes_in,
        "Kilobytes from clients in total.",
    )
    .with(SRC),
    Fetch::once(
        "src_kbytes_out",
        Kind::Int,
        ClientAddress,
        source::kbytes_out,
        "Kilobytes to clients in total.",
    )
    .with(SRC),
    Fetch::once(
        "src_sess_cnt",
        Kind::Int,
        ClientAddress,
        source::sess_cnt,
        "Sessions in total.",
    )
    .with(SRC),
    Fetch::once(
        "src_sess_rate",
        Kind::Int,
        ClientAddress,
        source::sess_rate,
        "Sessions a period.",
    )
    .with(SRC),
    Fetch::acts(
        "src_clr_gpc0",
        Kind::Int,
        ClientAddress,
        source::clr_gpc0,
        "Clears the first general counter and yields what it was.",
    )
    .with(SRC),
    Fetch::acts(
        "src_clr_gpc1",
        Kind::Int,
        ClientAddress,
        source::clr_gpc1,
        "Clears the second general counter and yields what it was.",
    )
    .with(SRC),
    Fetch::acts(
        "src_inc_gpc0",
        Kind::Int,
        ClientAddress,
        source::inc_gpc0,
        "Increments the first general counter and yields it.",
    )
    .with(SRC),
    Fetch::acts(
        "src_inc_gpc1",
        Kind::Int,
        ClientAddress,
        source::inc_gpc1,
        "Increments the second general counter and yields it.",
    )
    .with(SRC),
    Fetch::acts(
        "src_updt_conn_cnt",
        Kind::Int,
        ClientAddress,
        source::updt_conn_cnt,
        "Counts a connection of the client and yields the count.",
    )
    .with(SRC),
    Fetch::once(
        "src_get_gpc",
        Kind::Int,
        ClientAddress,
        source::entry_gpc,
        "A general counter of the array.",
    )
    .with(SRC_AT),
    Fetch::once(
        "src_get_gpt",
        Kind::Int,
        ClientAddress,
        source::entry_gpt,
        "A general tag of the array.",
    )
    .with(SRC_AT),
    Fetch::once(
        "src_gpc_rate",
        Kind::Int,
        ClientAddress,
        source::gpc_rate,
        "Increments of a general counter of the array a period.",
    )
    .with(SRC_AT),
    Fetch::acts(
        "src_clr_gpc",
        Kind::Int,
        ClientAddress,
        source::clr_gpc,
        "Clears a general counter of the array and yields what it was.",
    )
    .with(SRC_AT),
    Fetch::acts(
        "src_inc_gpc",
        Kind::Int,
        ClientAddress,
        source::inc_gpc,
        "Increments a general counter of the array and yields it.",
    )
    .with(SRC_AT),
    Fetch::acts(
        "sc1_clr_gpc",
        Kind::Int,
        Internal,
        second::clr_gpc,
        "Clears a general counter of the array and yields what it was.",
    )
    .with(AT),
];

/// Whose numbers a family reads.
#[derive(Clone, Copy)]
enum Whose {
    /// The counter whose number is the first argument.
    Any,
    /// The counter with this number.
    Counter(usize),
    /// The client's address.
    Source,
}

/// The entry a fetch asks about.
enum Entry<'a> {
    /// The one that is tracked.
    Tracked(Tracked<'a>),
    /// The one with this key in a table.
    Keyed(TableId, Value<'a>),
}

impl Whose {
    /// How many arguments say whose, before the fetch's own.
    fn width(self) -> usize {
        match self {
            Whose::Any => 1,
            Whose::Counter(_) | Whose::Source => 0,
        }
    }

    fn tracked<'a>(self, args: &[Arg], facts: &'a Facts<'a>) -> Option<Tracked<'a>> {
        let number = match self {
            Whose::Any => usize::try_from(args.int(0)?).ok()?,
            Whose::Counter(number) => number,
            Whose::Source => return None,
        };
        *facts.tracked.get(number)?
    }

    /// The entry; `table_at` is the argument that may name a table.
    fn entry<'a>(self, args: &[Arg], table_at: usize, facts: &'a Facts<'a>) -> Option<Entry<'a>> {
        let table = match args.at(table_at) {
            Arg::Table(name) => Some(name.id()?),
            _ => None,
        };
        if let Whose::Source = self {
            return Some(Entry::Keyed(table?, Value::ip(facts.src?.ip())));
        }
        let tracked = self.tracked(args, facts)?;
        match table {
            Some(table) if table != tracked.table => Some(Entry::Keyed(table, tracked.entry.key())),
            _ => Some(Entry::Tracked(tracked)),
        }
    }
}

/// Bytes are shown in kilobytes.
fn shown(what: Counter, number: i64) -> i64 {
    match what {
        Counter::BytesInCnt | Counter::BytesOutCnt => number >> 10,
        _ => number,
    }
}

fn read<'a>(
    whose: Whose,
    what: Counter,
    at: usize,
    args: &[Arg],
    facts: &'a Facts<'a>,
) -> Sampled<'a> {
    let number = match whose.entry(args, at, facts) {
        None => return Sampled::Absent,
        Some(Entry::Tracked(tracked)) => tracked.entry.read(what, facts.now),
        Some(Entry::Keyed(table, key)) => match facts.census.has_entry(table, &key) {
            true => facts.census.entry(table, &key, what, facts.now),
            false => Some(0),
        },
    };
    Sampled::maybe_int(number.map(|n| shown(what, n)))
}

fn change<'a>(
    whose: Whose,
    (what, how): (Counter, Change),
    at: usize,
    args: &[Arg],
    facts: &'a Facts<'a>,
) -> Sampled<'a> {
    let number = match whose.entry(args, at, facts) {
        None => None,
        Some(Entry::Tracked(tracked)) => match how {
            Change::Increment => tracked.entry.increment(what, facts.now),
            Change::Clear => tracked.entry.clear(what, facts.now),
        },
        Some(Entry::Keyed(table, key)) => facts.census.change(table, &key, what, how, facts.now),
    };
    Sampled::maybe_int(number)
}

/// The element of an array that the fetch's own first argument names.
fn element(whose: Whose, args: &[Arg]) -> u8 {
    u8::try_from(args.int_or(whose.width(), 0)).unwrap_or(u8::MAX)
}

macro_rules! numbers {
    ($whose:expr; $($name:ident $what:ident)*) => {$(
        pub(super) fn $name<'a>(args: &'a [Arg], facts: &'a Facts<'a>) -> Sampled<'a> {
            super::read($whose, Counter::$what, $whose.width(), args, facts)
        }
    )*};
}

macro_rules! changes {
    ($whose:expr; $($name:ident $what:ident $how:ident)*) => {$(
        pub(super) fn $name<'a>(args: &'a [Arg], facts: &'a Facts<'a>) -> Sampled<'a> {
            super::change($whose, (Counter::$what, Change::$how), $whose.width(), args, facts)
        }
    )*};
}

macro_rules! elements {
    ($whose:expr;) => {
        pub(super) fn entry_gpc<'a>(args: &'a [Arg], facts: &'a Facts<'a>) -> Sampled<'a> {
            let what = Counter::Gpc(super::element($whose, args));
            super::read($whose, what, $whose.width() + 1, args, facts)
        }

        pub(super) fn entry_gpt<'a>(args: &'a [Arg], facts: &'a Facts<'a>) -> Sampled<'a> {
            let what = Counter::Gpt(super::element($whose, args));
            super::read($whose, what, $whose.width() + 1, args, facts)
        }

        pub(super) fn gpc_rate<'a>(args: &'a [Arg], facts: &'a Facts<'a>) -> Sampled<'a> {
            let what = Counter::GpcRate(super::element($whose, args));
            super::read($whose, what, $whose.width() + 1, args, facts)
        }

        pub(super) fn inc_gpc<'a>(args: &'a [Arg], facts: &'a Facts<'a>) -> Sampled<'a> {
            let what = Counter::Gpc(super::element($whose, args));
            super::change(
                $whose,
                (what, Change::Increment),
                $whose.width() + 1,
                args,
                facts,
            )
        }
    };
}

macro_rules! clear_element {
    ($whose:expr;) => {
        pub(super) fn clr_gpc<'a>(args: &'a [Arg], facts: &'a Facts<'a>) -> Sampled<'a> {
            let what = Counter::Gpc(super::element($whose, args));
            super::change(
                $whose,
                (what, Change::Clear),
                $whose.width() + 1,
                args,
                facts,
            )
        }
    };
}

macro_rules! tracking {
    ($whose:expr;) => {
        pub(super) fn tracked<'a>(args: &'a [Arg], facts: &'a Facts<'a>) -> Sampled<'a> {
            Sampled::truth($whose.entry(args, $whose.width(), facts).is_some())
        }

        pub(super) fn trackers<'a>(args: &'a [Arg], facts: &'a Facts<'a>) -> Sampled<'a> {
            super::read($whose, Counter::Trackers, $whose.width(), args, facts)
        }

        pub(super) fn key<'a>(args: &'a [Arg], facts: &'a Facts<'a>) -> Sampled<'a> {
            Sampled::of($whose.tracked(args, facts).map(|t| t.entry.key()))
        }
    };
}

macro_rules! family {
    ($name:ident, $whose:expr, [$($extra:ident)*]) => {
        mod $name {
            use super::{Arg, Change, Counter, Facts, Sampled, Whose};

            numbers! { $whose;
                bytes_in_rate BytesInRate
                bytes_out_rate BytesOutRate
                conn_cnt ConnCnt
                conn_cur ConnCur
                conn_rate ConnRate
                get_gpc0 Gpc0
                get_gpc1 Gpc1
                get_gpt0 Gpt0
                glitch_cnt GlitchCnt
                glitch_rate GlitchRate
                gpc0_rate Gpc0Rate
                gpc1_rate Gpc1Rate
                http_err_cnt HttpErrCnt
                http_err_rate HttpErrRate
                http_fail_cnt HttpFailCnt
                http_fail_rate HttpFailRate
                http_req_cnt HttpReqCnt
                http_req_rate HttpReqRate
                kbytes_in BytesInCnt
                kbytes_out BytesOutCnt
                sess_cnt SessCnt
                sess_rate SessRate
            }
            changes! { $whose;
                inc_gpc0 Gpc0 Increment
                inc_gpc1 Gpc1 Increment
                clr_gpc0 Gpc0 Clear
                clr_gpc1 Gpc1 Clear
            }
            $( $extra! { $whose; } )*
        }
    };
}

macro_rules! count_connection {
    ($whose:expr;) => {
        pub(super) fn updt_conn_cnt<'a>(args: &'a [Arg], facts: &'a Facts<'a>) -> Sampled<'a> {
            super::change(
                $whose,
                (Counter::ConnCnt, Change::Increment),
                $whose.width(),
                args,
                facts,
            )
        }
    };
}

family!(any, Whose::Any, [elements clear_element tracking]);
family!(first, Whose::Counter(0), [tracking]);
family!(second, Whose::Counter(1), [clear_element tracking]);
family!(third, Whose::Counter(2), [tracking]);
family!(source, Whose::Source, [elements clear_element count_connection]);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample::facts::Counters;
    use crate::sample::rig::{Site, read};
    use crate::time::Tick;

    struct Seven;

    impl Counters for Seven {
        fn read(&self, what: Counter, _: Tick) -> Option<i64> {
            match what {
                Counter::GlitchCnt => None,
                Counter::BytesInCnt => Some(4096),
                Counter::Gpc(n) | Counter::Gpt(n) | Counter::GpcRate(n) => Some(i64::from(n)),
                _ => Some(7),
            }
        }
        fn increment(&self, _: Counter, _: Tick) -> Option<i64> {
            Some(8)
        }
        fn clear(&self, _: Counter, _: Tick) -> Option<i64> {
            Some(6)
        }
        fn key(&self) -> Value<'_> {
            Value::str(b"k")
        }
    }

    fn number(text: &str) -> Option<i64> {
        let site = Site;
        let tracked = [
            Some(Tracked {
                table: TableId::new(5),
                entry: &Seven,
            }),
            None,
            Some(Tracked {
                table: TableId::new(5),
                entry: &Seven,
            }),
        ];
        let facts = Facts {
            census: &site,
            tracked: &tracked,
            src: "10.0.0.1:1".parse().ok(),
            ..Facts::none()
        };
        let expr = read(text).expect("legal");
        expr.resolve(&site).expect("known");
        expr.eval(&facts).value().and_then(|v| v.integer())
    }

    #[test]
    fn every_family_reads_every_number() {
        let names = [
            "bytes_in_rate",
            "bytes_out_rate",
            "conn_cnt",
            "conn_cur",
            "conn_rate",
            "get_gpc0",
            "get_gpc1",
            "get_gpt0",
            "glitch_rate",
            "gpc0_rate",
            "gpc1_rate",
            "http_err_cnt",
            "http_err_rate",
            "http_fail_cnt",
            "http_fail_rate",
            "http_req_cnt",
            "http_req_rate",
            "sess_cnt",
            "sess_rate",
        ];
        for name in names {
            assert_eq!(number(&format!("sc0_{name}")), Some(7), "{name}");
            assert_eq!(number(&format!("sc2_{name}")), Some(7), "{name}");
            assert_eq!(number(&format!("sc_{name}(2)")), Some(7), "{name}");
            assert_eq!(number(&format!("sc1_{name}")), None, "{name}");
            assert_eq!(number(&format!("sc_{name}(9)")), None, "{name}");
            assert_eq!(number(&format!("sc0_{name}(t)")), Some(42), "{name}");
            assert_eq!(number(&format!("src_{name}(t)")), Some(42), "{name}");
        }
        assert_eq!(number("sc0_glitch_cnt"), None);
        assert_eq!(number("sc0_kbytes_in"), Some(4));
        assert_eq!(number("src_kbytes_out(t)"), Some(0));
    }

    #[test]
    fn changes_and_elements() {
        assert_eq!(number("sc0_inc_gpc0"), Some(8));
        assert_eq!(number("sc_inc_gpc1(0)"), Some(8));
        assert_eq!(number("sc0_clr_gpc0"), Some(6));
        assert_eq!(number("src_inc_gpc0(t)"), Some(43));
        assert_eq!(number("src_clr_gpc1(t)"), Some(42));
        assert_eq!(number("src_updt_conn_cnt(t)"), Some(43));
        assert_eq!(number("sc_get_gpc(0,3)"), Some(3));
        assert_eq!(number("sc_get_gpt(2,4)"), Some(4));
        assert_eq!(number("sc_gpc_rate(0,5)"), Some(5));
        assert_eq!(number("sc_inc_gpc(0,5)"), Some(8));
        assert_eq!(number("sc_clr_gpc(0,5)"), Some(6));
        assert_eq!(number("sc_get_gpc(0,3,t)"), Some(42));
        assert_eq!(number("src_get_gpc(1,t)"), Some(42));
        assert_eq!(number("src_get_gpt(1,t)"), Some(42));
        assert_eq!(number("src_gpc_rate(1,t)"), Some(42));
        assert_eq!(number("src_inc_gpc(1,t)"), Some(43));
        assert_eq!(number("src_clr_gpc(1,t)"), Some(42));
        assert_eq!(number("sc0_trackers"), Some(7));
        assert_eq!(number("sc0_tracked"), Some(1));
        assert_eq!(number("sc1_tracked"), Some(0));
        assert_eq!(number("sc_key(0),length"), Some(1));
    }
}
