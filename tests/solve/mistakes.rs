//! What cannot be solved.
