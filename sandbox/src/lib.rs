//! The far side of QQ.
