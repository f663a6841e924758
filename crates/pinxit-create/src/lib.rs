//! Weights and a recipe to pictures.
