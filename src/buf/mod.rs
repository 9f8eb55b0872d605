//! Bytes in flight: pooled buffers of a worker and the arena of one message.
