//! Members of a `peers` section: what one learns the other knows.

use super::{Bench, REST, await_that};

const TABLE: &str = "defaults\n mode http\n timeout connect 5s\n timeout client 20s\n timeout server 20s\n\
                     backend t\n stick-table type ip size 1k store gpc0 peers p\n";

/// Two processes of one section, whose lines say `more` and of the second one `of_second`.
fn pair(name: &str, more: &str, of_second: &str) -> [Bench; 2] {
    let first = Bench::new(&format!("{name}-a"), "");
    let [_, a, b] = first.ports;
    let peers =
        format!("peers p\n{more} peer a 127.0.0.1:{a}\n peer b 127.0.0.1:{b} {of_second}\n{TABLE}");
    let text = |name: &str| {
        let rest = REST.split_once("frontend").expect("one").1;
        format!("global\n stats socket @D/s level admin\n localpeer {name}\n{peers}frontend{rest}")
    };
    first.write("t.cfg", &text("a"));
    let second = Bench::new(&format!("{name}-b"), &text("b"));
    [first, second]
}

#[test]
fn what_one_process_counts_its_peer_knows() {
    let [first, second] = pair("peer", "", "");
    let _first = first.start();
    let _second = second.start();
    let said = first.ask("s", "set table t key 192.0.2.7 data.gpc0 5");
    assert_eq!(said.trim(), "");
    await_that("the other process knows it", || {
        let rows = second.ask("s", "show table t");
        rows.contains("key=192.0.2.7 ") && rows.contains("gpc0=5")
    });
}

#[test]
fn a_member_is_told_of_its_shard() {
    let [first, second] = pair("shard", " shards 2\n", "shard 1");
    let _first = first.start();
    let _second = second.start();
    let keys = |bench: &Bench| {
        let rows = bench.ask("s", "show table t");
        let keys = rows.lines().filter_map(|row| row.split("key=").nth(1));
        let mut keys: Vec<String> = keys
            .filter_map(|rest| Some(rest.split_once(' ')?.0.to_owned()))
            .collect();
        keys.sort();
        keys
    };
    let tell = |bench: &Bench, network: &str| {
        for last in 1..=30 {
            bench.ask(
                "s",
                &format!("set table t key {network}.{last} data.gpc0 1"),
            );
        }
    };
    let of = |bench: &Bench, network: &str| {
        let keys = keys(bench).into_iter();
        keys.filter(|key| key.starts_with(network)).count()
    };
    tell(&first, "192.0.2");
    tell(&first, "198.51.100");
    // Who hears of the second lot has heard all it will of the first.
    await_that("it is told of a part", || of(&second, "198.51.100") > 0);
    let told = of(&second, "192.0.2");
    assert!((3..27).contains(&told), "{told} of 30");
    // The first one is of no shard.
    tell(&second, "203.0.113");
    await_that("it is told of all", || of(&first, "203.0.113") == 30);
}
