"""What an owner keeps between broadcasts: live rooms, rules, platforms, commands, settings."""
