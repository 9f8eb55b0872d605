//! System calls: the only unsafe code, one call a function, no policy.
