"""The configuration: one TOML file and the environment, checked, as typed values.

The only part of airslice that reads either. `load` gives `Settings` or raises `ConfigError` with
every problem found, each under the full name of its setting.
"""

from airslice.config.loading import ConfigError, load
from airslice.config.settings import Presenter, Settings
from airslice.config.template import fresh_config
from airslice.config.texts import Address

__all__ = [
    "Address",
    "ConfigError",
    "Presenter",
    "Settings",
    "fresh_config",
    "load",
]
