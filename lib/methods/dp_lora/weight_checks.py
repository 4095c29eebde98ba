"""What pre-flight refuses of how the frozen weights are held: in four bits, and split over processes."""

from collections.abc import Mapping

from lib.common.errors import DoppelError

# Settings of LoRA that compute with a frozen matrix as a whole, or copy a module, when adapters are made.
_NEEDS_WHOLE = ("modules_to_save", "target_parameters", "trainable_token_indices", "use_dora", "loftq_config")
_PLAIN_STARTS = (True, False, "gaussian", "orthogonal")  # other ``init_lora_weights`` decompose frozen matrices


def check_weights(parameters: Mapping[str, object]) -> None:
    """Refuse weights in four bits, or split, where they cannot be.

    Args:
        parameters: of 10_finetune_dp_lora, resolved.

    Raises:
        DoppelError: for the first of these.
    """
    if parameters["dtype"] == "4bit":
        from lib.models.pretrained import check_four_bits  # here: `verify` imports this file, and has no safetensors

        check_four_bits(parameters["device"])
    if parameters["split_weights"]:
        _check_split(parameters)


def _check_split(parameters: Mapping[str, object]) -> None:
    from lib.models import architecture

    if parameters["processes"] == 1:
        raise DoppelError(
            "methods.split_in_one_process",
            "split_weights: true splits the frozen weights over processes, and processes is 1",
            name="split_weights",
            value=True,
            remedy="set processes to the number of cards, at least 2",
        )
    if parameters["dtype"] == "4bit":
        raise DoppelError(
            "methods.split_four_bits",
            "weights in four bits cannot be split over processes",
            name="dtype",
            value="4bit",
            remedy="set split_weights: false, or dtype: bfloat16",
        )
    lora = parameters["lora"]
    needs = [name for name in _NEEDS_WHOLE if lora.get(name)]
    needs += ["init_lora_weights"] if lora.get("init_lora_weights", True) not in _PLAIN_STARTS else []
    if needs:
        raise DoppelError(
            "methods.split_lora_setting",
            f"lora: {needs[0]} needs frozen weights that are whole",
            name="lora",
            value=needs[0],
            remedy="leave it out, or set split_weights: false",
        )
    architecture.check_splits(str(parameters["model"]))
