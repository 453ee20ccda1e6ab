//! Makes the tenants and projects that the configuration declares. One that stands already is left as it is:
//! taking a name out of the file takes nothing away from whoever uses it.

use lintel_config::DeclaredTenant;
use lintel_store::{Control, StoreError};

/// The actor of changes that the configuration asks for.
pub(crate) const ACTOR: &str = "config";

/// Makes what is declared and not there yet.
///
/// # Errors
/// When the control store can't be written. What was made until then stays, and is made no second time.
pub(crate) fn declare(control: &Control, tenants: &[DeclaredTenant]) -> Result<(), StoreError> {
    for tenant in tenants {
        once(control.create_tenant(&tenant.name, ACTOR))?;
        for project in &tenant.projects {
            once(control.create_project(&tenant.name, &project.name, ACTOR))?;
        }
    }
    Ok(())
}

fn once<T>(made: Result<T, StoreError>) -> Result<(), StoreError> {
    match made {
        Ok(_) | Err(StoreError::Duplicate { .. }) => Ok(()),
        Err(error) => Err(error),
    }
}
