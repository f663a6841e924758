//! Losses, augmentation, averaging, the loop, checkpoints, metrics, health rules.
