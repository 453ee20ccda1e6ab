//! The JSON Schema of `lintel.yaml`, generated from the structs themselves: what editors complete with
//! is what the loader checks with.

use lintel_policy::PriceFile;
use schemars::generate::SchemaSettings;
use serde_json::Value;

use crate::raw::RawConfig;

/// The JSON Schema (draft 2020-12) of `lintel.yaml`.
pub fn schema() -> Value {
    let mut schema = SchemaSettings::draft2020_12()
        .into_generator()
        .into_root_schema_for::<RawConfig>()
        .to_value();
    if let Some(root) = schema.as_object_mut() {
        root.insert("title".to_owned(), Value::from("Lintel configuration"));
    }
    schema
}

/// The JSON Schema of a price file.
pub fn price_file_schema() -> Value {
    SchemaSettings::draft2020_12()
        .into_generator()
        .into_root_schema_for::<PriceFile>()
        .to_value()
}
