//! The use cases, composing the crates above; emits events; reads the settings.
