//! Recalls and reactions on their way.
