"""A package, so that no other one of this name (some libraries install theirs) stands before it."""
