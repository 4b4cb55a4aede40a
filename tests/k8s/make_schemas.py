"""Makes the closed JSON schemas in tests/data/kubernetes from the custom resource definitions that the MPI
operator and Kueue publish: make_schemas.py FOLDER_OF_CRDS [TARGET]

Closed: an object refuses properties that its schema does not name, which the API server drops in silence. A
misspelt field is found in no other way. Descriptions and rules in CEL are left out."""

import json
import pathlib
import sys

import yaml

TARGET = pathlib.Path(__file__).resolve().parents[1] / "data/kubernetes"
KEPT = {
    "type", "properties", "items", "required", "enum", "pattern", "minimum", "maximum", "minLength", "maxLength",
    "minItems", "maxItems", "minProperties", "maxProperties", "anyOf", "allOf", "oneOf", "not",
    "additionalProperties",
}  # fmt: skip


def closed(schema, inside_properties=False):
    """The schema without what JSON Schema does not know, and with every object closed."""
    if isinstance(schema, list):
        return [closed(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    if inside_properties:
        return {name: closed(value) for name, value in schema.items()}
    result = {}
    for key, value in schema.items():
        if key in KEPT:
            result[key] = closed(value, inside_properties=key == "properties")
    if schema.get("x-kubernetes-int-or-string"):
        result.pop("type", None)
        result["type"] = ["integer", "string"]
    if "properties" in result and not schema.get("x-kubernetes-preserve-unknown-fields"):
        result.setdefault("additionalProperties", False)
    return result


def kind_schemas(definition):
    """(kind, version) -> closed schema, of every served version."""
    for version in definition["spec"]["versions"]:
        if not version["served"]:
            continue
        schema = closed(version["schema"]["openAPIV3Schema"])
        group = definition["spec"]["group"]
        schema["properties"]["apiVersion"] = {"enum": [f"{group}/{version['name']}"]}
        schema["properties"]["kind"] = {"enum": [definition["spec"]["names"]["kind"]]}
        schema["required"] = sorted({*schema.get("required", []), "apiVersion", "kind", "metadata"})
        schema["properties"].pop("status", None)
        yield f"{group}/{version['name']}", definition["spec"]["names"]["kind"], schema


def main():
    source = pathlib.Path(sys.argv[1])
    target = pathlib.Path(sys.argv[2]) if len(sys.argv) > 2 else TARGET
    for path in sorted(source.glob("*crd*.yaml")):
        for definition in yaml.safe_load_all(path.read_text(encoding="utf-8")):
            for api, kind, schema in kind_schemas(definition):
                name = f"{kind.lower()}.{api.replace('/', '.')}.json"
                text = json.dumps(schema, separators=(",", ":"), sort_keys=True)
                (target / name).write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
