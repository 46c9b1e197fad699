//! The readers of this crate as functions of bytes, for `tests/fuzz`.

use crate::authorities::Authorities;
use crate::json;
use crate::passwd::accounts;
use crate::record::Record;
use crate::store::{decode_variables, encode_variables};

/// Reads what a build records for the entrypoint: an activation, and variables.
///
/// # Panics
/// If what is read is not what would be written.
pub fn records(data: &[u8]) {
    if let Ok(record) = Record::decode(data) {
        let again = Record::decode(&record.encode());
        assert_eq!(again.as_ref(), Ok(&record));
    }
    let variables = decode_variables(data);
    assert_eq!(decode_variables(&encode_variables(&variables)), variables);
}

/// Reads what an image has: variables of environments as JSON, accounts, and certificates.
pub fn files(data: &[u8]) {
    drop(json::parse(&String::from_utf8_lossy(data)));
    drop(accounts(data).collect::<Vec<_>>());
    drop(Authorities::parse(data));
}
