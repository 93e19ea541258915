"""The OpenAPI document of the gates' doors, made of what the doors read and write: docs/transit-api.json."""

from collections.abc import Sequence
from typing import Any

import msgspec

from webhooks.api import wire
from webhooks.api.transit import TAPS, TRUST

Json = dict[str, Any]
_KINDS = (wire.Taps, wire.Taken, wire.Trust, wire.Refusal)
_REFUSED = {
    400: "`bad_request`: none of this kind; `field` names what is wrong. Halve a batch to find the tap.",
    401: "`bad_signature` (also: a gate unknown or revoked), `stale` (over 300 s off) or `repeated`.",
    413: "`too_long`: more than 256 KB.",
    500: "`failed`: our mistake. Later, with a new nonce and signature.",
    503: "`unavailable`: later, with a new nonce and signature.",
}
_SIGNATURE = (
    "Four headers: Bianmin-Name (the gate), Bianmin-Time (Unix seconds), Bianmin-Nonce (16 to 64 of "
    "A-Z a-z 0-9 _ -, never twice), Bianmin-Signature (base64url, no padding: Ed25519 over six lines "
    "joined by a line feed: bianmin-device-1, method, path with query, time, nonce, SHA-256 of the body "
    "in lower-case hexadecimal). An example stands in docs/transit-code.md."
)
_HEADERS = {
    "Bianmin-Name": "^[a-z0-9][a-z0-9-]{0,63}$",
    "Bianmin-Time": "^[0-9]{1,12}$",
    "Bianmin-Nonce": "^[A-Za-z0-9_-]{16,64}$",
    "Bianmin-Signature": "^[A-Za-z0-9_-]{86}$",
}


def document() -> Json:
    """The whole document."""
    schemas, components = msgspec.json.schema_components(_KINDS, ref_template="#/components/schemas/{name}")
    taps, taken, trust, refusal = schemas
    return {
        "openapi": "3.1.0",
        "info": {"title": "Bianmin: doors of gates", "version": "1", "description": _SIGNATURE},
        "paths": {
            TAPS: {
                "post": {
                    "operationId": "upload_taps",
                    "summary": "Upload taps: in any order, as often as needed. Each number comes back once.",
                    "parameters": _headers(),
                    "requestBody": {"required": True, "content": {"application/json": {"schema": taps}}},
                    "responses": _responses(
                        "What became of each tap", taken, refusal, (400, 401, 413, 500, 503)
                    ),
                }
            },
            TRUST: {
                "get": {
                    "operationId": "whom_to_trust",
                    "summary": "Fetch issuer keys, denials and the time; Bianmin-Time may be any.",
                    "parameters": [*_headers(), _since()],
                    "responses": _responses(
                        "The whole list, as of `now`", trust, refusal, (400, 401, 500, 503)
                    ),
                }
            },
        },
        "components": {"schemas": components},
    }


def _headers() -> list[Json]:
    return [
        {"name": name, "in": "header", "required": True, "schema": {"type": "string", "pattern": pattern}}
        for name, pattern in _HEADERS.items()
    ]


def _since() -> Json:
    schema = {"type": "integer", "minimum": 0, "maximum": wire.MOST_SEQ, "default": 0}
    told = "the `now` of the list in use"
    return {"name": "since", "in": "query", "required": False, "description": told, "schema": schema}


def _responses(what: str, schema: Json, refusal: Json, statuses: Sequence[int]) -> Json:
    found = {"200": {"description": what, "content": {"application/json": {"schema": schema}}}}
    for status in statuses:
        content = {"application/json": {"schema": refusal}}
        found[str(status)] = {"description": _REFUSED[status], "content": content}
    return found
