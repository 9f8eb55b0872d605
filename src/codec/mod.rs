//! Hash families and text codecs that HAProxy's language defines.
