//! Limits of bandwidth: the tables that shared ones count in.

use super::known::Known;
use crate::config::report::Report;
use crate::filter::Filters;

/// Closes the names in the keys of shared limits, and finds their tables.
pub(super) fn close(filters: &Filters, known: &Known<'_>, report: &mut Report) {
    for line in &filters.bandwidths {
        report.check(line.resolve(known, &known.site.tables));
    }
}

#[cfg(test)]
mod tests {
    use crate::config::rig::alerts_of;

    const PROXY: &str = "listen l\n mode http\n bind :8080\n timeout connect 1s\n";

    #[test]
    fn rules_name_a_limit_of_their_proxy() {
        let rule = " http-request set-bandwidth-limit lim";
        let own = " filter bwlim-out lim default-limit 1k default-period 1s\n";
        assert_eq!(
            alerts_of(&format!("{PROXY}{own}{rule} limit 2k period 1m\n")),
            [""; 0]
        );
        let missing =
            "Proxy 'l': unable to find bwlim filter 'lim' referenced by set-bandwidth-limit rule.";
        assert_eq!(alerts_of(&format!("{PROXY}{rule}\n")), [missing]);
        let table = "backend t\n stick-table type ip size 1k store bytes_out_rate(1s)\n";
        let shared = format!("{PROXY} filter bwlim-out lim key src table t limit 1k\n{rule}");
        assert_eq!(alerts_of(&format!("{shared}\n{table}")), [""; 0]);
        let fixed =
            "Proxy 'l': set-bandwidth-limit rule cannot define a limit for a shared bwlim filter.";
        assert_eq!(alerts_of(&format!("{shared} limit 1k\n{table}")), [fixed]);
    }

    #[test]
    fn a_shared_limit_counts_in_a_table() {
        let filter = " filter bwlim-in lim key src table t limit 1k\n";
        let missing = "Proxy l : unable to find table 't' referenced by bwlim filter 'lim'";
        assert_eq!(alerts_of(&format!("{PROXY}{filter}")), [missing]);
        let table = "backend t\n stick-table type ip size 1k store bytes_out_rate(1s)\n";
        let other = "Proxy l : stick-table 't' uses a data type incompatible with bwlim filter 'lim'. \
                     It must be 'bytes_in_rate'";
        assert_eq!(alerts_of(&format!("{PROXY}{filter}{table}")), [other]);
    }
}
