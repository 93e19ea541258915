"""Citizens' login on pages: WeChat says who they are, a sealed cookie remembers it (ADR 0019)."""
