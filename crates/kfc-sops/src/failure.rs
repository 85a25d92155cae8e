//! What everything here fails with.

pub(crate) type Result<T> = std::result::Result<T, kfc_source::DecryptFailure>;
