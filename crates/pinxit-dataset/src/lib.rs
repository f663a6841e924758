//! Folder to deduplicated, labelled, packed collection; deterministic batches.
