//! Bytes in flight: pooled buffers of a worker.
//!
//! A [`Buf`] is read into once and then handed from connection to lane to connection until it is written out; its bytes are not
//! copied on the way. The [`Pool`] of a worker lends buffers and takes them back; an idle connection holds none.

mod output;
mod pool;

pub use output::Output;
pub use pool::{Buf, Need, Pool};
