//! Numbers that are read: what a client or a tracked key has done, in total, at this moment, a period.

use crate::sample::facts::Counter;
use crate::sample::row::Fetch;

use super::owner::{ANY, FIRST, SECOND, SOURCE, THIRD};

macro_rules! numbers {
    ($owner:ident, $prefix:literal) => {
        rows! { $owner, $prefix, number, read;
            "bytes_in_rate"  Counter::BytesInRate,  "Bytes from clients a period.";
            "bytes_out_rate" Counter::BytesOutRate, "Bytes to clients a period.";
            "conn_cnt"       Counter::ConnCnt,      "Connections in total.";
            "conn_cur"       Counter::ConnCur,      "Connections at this moment.";
            "conn_rate"      Counter::ConnRate,     "Connections a period.";
            "get_gpc0"       Counter::Gpc0,         "The first general counter.";
            "get_gpc1"       Counter::Gpc1,         "The second general counter.";
            "get_gpt0"       Counter::Gpt0,         "The general tag.";
            "glitch_cnt"     Counter::GlitchCnt,    "Protocol glitches in total.";
            "glitch_rate"    Counter::GlitchRate,   "Protocol glitches a period.";
            "gpc0_rate"      Counter::Gpc0Rate,     "Increments of the first general counter a period.";
            "gpc1_rate"      Counter::Gpc1Rate,     "Increments of the second general counter a period.";
            "http_err_cnt"   Counter::HttpErrCnt,   "Requests in error in total.";
            "http_err_rate"  Counter::HttpErrRate,  "Requests in error a period.";
            "http_fail_cnt"  Counter::HttpFailCnt,  "Failed responses in total.";
            "http_fail_rate" Counter::HttpFailRate, "Failed responses a period.";
            "http_req_cnt"   Counter::HttpReqCnt,   "Requests in total.";
            "http_req_rate"  Counter::HttpReqRate,  "Requests a period.";
            "sess_cnt"       Counter::SessCnt,      "Sessions in total.";
            "sess_rate"      Counter::SessRate,     "Sessions a period.";
        }
    };
}

macro_rules! totals {
    ($owner:ident, $prefix:literal) => {
        rows! { $owner, $prefix, total, read;
            "kbytes_in"  Counter::BytesInCnt,  "Kilobytes from clients in total.";
            "kbytes_out" Counter::BytesOutCnt, "Kilobytes to clients in total.";
        }
    };
}

/// Of every owner.
pub(super) const ROWS: &[&[Fetch]] = &[
    numbers!(ANY, "sc_"),
    totals!(ANY, "sc_"),
    numbers!(FIRST, "sc0_"),
    totals!(FIRST, "sc0_"),
    numbers!(SECOND, "sc1_"),
    totals!(SECOND, "sc1_"),
    numbers!(THIRD, "sc2_"),
    totals!(THIRD, "sc2_"),
    numbers!(SOURCE, "src_"),
    totals!(SOURCE, "src_"),
];

#[cfg(test)]
mod tests {
    use super::super::rig::number;

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
}
