"""What the contract suite needs besides data: a service that some methods ask."""

from __future__ import annotations

import pytest
import small_image_models
import small_service


@pytest.fixture(scope="session", autouse=True)
def service_of_the_contract():
    """Run an embedding service, so that the method that asks one passes the suite for real."""
    from test_contract import QUICK

    with small_service.running() as service:
        QUICK["api"] = {"url": service.url, "model": "tiny", "batch_size": 7}
        yield service


@pytest.fixture(scope="session", autouse=True)
def image_model_of_the_contract(tmp_path_factory):
    """Save a tiny image model, so that the method that needs one passes the suite for real."""
    from test_contract import QUICK

    folder = small_image_models.save_small_vit(tmp_path_factory.mktemp("models") / "vit")
    QUICK["image_features"] = {"model": str(folder)}
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("EMBEDSCOPE_MODEL_FOLDERS", str(folder.parent))
        yield folder
