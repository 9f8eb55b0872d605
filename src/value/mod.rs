//! Values of the expression language: kinds and casts.
