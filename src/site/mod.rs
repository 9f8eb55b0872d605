//! What runs: the configuration as the engine reads it.
