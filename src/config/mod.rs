//! What was written: sections, keywords, drafts, and their resolution into a site.
