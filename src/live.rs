//! Live<T>.
