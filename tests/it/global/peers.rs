//! Members of a `peers` section: what one learns the other knows.

use super::{Bench, REST, await_that};

#[test]
fn what_one_process_counts_its_peer_knows() {
    let table = "defaults\n mode http\n timeout connect 5s\n timeout client 20s\n timeout server 20s\n\
                 backend t\n stick-table type ip size 1k store gpc0 peers p\n";
    let first = Bench::new("peer-a", "");
    let [_, a, b] = first.ports;
    let peers = format!("peers p\n peer a 127.0.0.1:{a}\n peer b 127.0.0.1:{b}\n{table}");
    let text = |name: &str| {
        let rest = REST.split_once("frontend").expect("one").1;
        format!("global\n stats socket @D/s level admin\n localpeer {name}\n{peers}frontend{rest}")
    };
    first.write("t.cfg", &text("a"));
    let second = Bench::new("peer-b", &text("b"));
    let _first = first.start();
    let _second = second.start();
    let said = first.ask("s", "set table t key 192.0.2.7 data.gpc0 5");
    assert_eq!(said.trim(), "");
    await_that("the other process knows it", || {
        let rows = second.ask("s", "show table t");
        rows.contains("key=192.0.2.7 ") && rows.contains("gpc0=5")
    });
}
