//! Process life: from arguments to workers and back.
