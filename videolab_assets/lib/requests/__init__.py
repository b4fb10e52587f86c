"""Small YAML files that ask for something: a campaign, its activation, a stop, a recorded post, approved rules."""
