"""Pages and their assets, without a build step."""
