// What a usable target must do: unwind, start threads, reach the network.
// musl-target.sh compiles and runs this; exit status 0 means that it did.
use std::{net::TcpListener, panic, thread};

fn main() {
    panic::set_hook(Box::new(|_| ()));
    let caught = panic::catch_unwind(|| Vec::<u8>::new()[std::env::args().count()]);
    assert!(caught.is_err());
    assert_eq!(thread::spawn(|| 3).join().ok(), Some(3));
    TcpListener::bind("127.0.0.1:0").expect("the loopback address exists");
}
