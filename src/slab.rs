//! Slab<T> and Key<T>.
