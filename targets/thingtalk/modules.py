"""The modules of the Thingpedia platform that a class may import, with their arguments.

Reference: the platform's own list as the `thingtalk` package's tests describe it. A schema has no place for modules, so a
caller who knows others passes them along.
"""

from collections.abc import Mapping
from typing import Final

from ...compiler.node import node
from . import values


@node
class Module:
    """A module: the types of its arguments by name, and those that must be given."""

    arguments: tuple[tuple[str, values.Type], ...] = ()
    required: tuple[str, ...] = ()


_TEXT = values.SimpleType("String")
_TEXTS = values.ArrayType(_TEXT)
_URL = values.EntityType("tt:url")
_FORM = values.SimpleType("ArgMap")
_SECRETS = (("client_id", _TEXT), ("client_secret", _TEXT))
_DEVICES = [
    "audio_video",
    "computer",
    "health",
    "imaging",
    "misc",
    "networking",
    "peripheral",
    "phone",
    "toy",
    "wearable",
]

PLATFORM: Final[Mapping[str, Module]] = {
    **{f"org.thingpedia.{name}": Module() for name in ("v2", "builtin", "embedded", "generic_rest.v1", "rss")},
    **{f"org.thingpedia.config.{name}": Module() for name in ("interactive", "builtin")},
    "org.thingpedia.config.none": Module((("api_key", _TEXT), ("subscription_key", _TEXT))),
    "org.thingpedia.config.discovery": Module((("protocol", values.EnumType(("upnp", "bluetooth"))),), ("protocol",)),
    "org.thingpedia.config.discovery.bluetooth": Module(
        (("uuids", _TEXTS), ("device_class", values.EnumType(tuple(_DEVICES)))), ("uuids",)
    ),
    "org.thingpedia.config.discovery.upnp": Module((("search_target", _TEXTS),), ("search_target",)),
    "org.thingpedia.config.form": Module((("params", _FORM),), ("params",)),
    "org.thingpedia.config.basic_auth": Module((("extra_params", _FORM),)),
    "org.thingpedia.config.custom_oauth": Module(_SECRETS),
    "org.thingpedia.config.oauth2": Module(
        (
            *_SECRETS,
            *((name, _URL) for name in ("authorize", "get_access_token", "get_profile", "redirect_uri")),
            ("scope", _TEXTS),
            ("profile", _TEXTS),
            ("set_state", values.SimpleType("Boolean")),
        )
    ),
}
