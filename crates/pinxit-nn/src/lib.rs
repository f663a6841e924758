//! Layers and networks: generator, discriminators, feature network; weights in and out.
