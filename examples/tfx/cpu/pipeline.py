"""A TFX pipeline from CSV to a pushed model. Its metadata goes to the platform's store, where pipelines show it."""

import csv
import os
import random

from ml_metadata.proto import metadata_store_pb2
from tfx import v1 as tfx

WORK = os.environ["WORK"]


def make_data(folder):
    os.makedirs(folder, exist_ok=True)
    with open(os.path.join(folder, "line.csv"), "w", newline="") as file:
        out = csv.writer(file)
        out.writerow(["x", "y"])
        for _ in range(5000):
            x = random.random()
            out.writerow([x, 3 * x + 1 + random.gauss(0, 0.1)])


def pipeline(data):
    examples = tfx.components.CsvExampleGen(input_base=data)
    statistics = tfx.components.StatisticsGen(examples=examples.outputs["examples"])
    schema = tfx.components.SchemaGen(statistics=statistics.outputs["statistics"])
    trainer = tfx.components.Trainer(
        run_fn="model.run_fn",
        examples=examples.outputs["examples"],
        schema=schema.outputs["schema"],
        train_args=tfx.proto.TrainArgs(num_steps=500),
        eval_args=tfx.proto.EvalArgs(num_steps=20),
    )
    destination = tfx.proto.PushDestination.Filesystem(base_directory=os.path.join(WORK, "serving"))
    pusher = tfx.components.Pusher(
        model=trainer.outputs["model"],
        push_destination=tfx.proto.PushDestination(filesystem=destination),
    )
    return tfx.dsl.Pipeline(
        pipeline_name="linear-fit",
        pipeline_root=os.path.join(WORK, "root"),
        components=[examples, statistics, schema, trainer, pusher],
        metadata_connection_config=metadata_store_pb2.MetadataStoreClientConfig(
            host=os.environ["METADATA_GRPC_SERVICE_HOST"],
            port=int(os.environ["METADATA_GRPC_SERVICE_PORT"]),
        ),
        # Artifacts of this pod are gone with it, so results of another must not be taken for present.
        enable_cache=False,
    )


if __name__ == "__main__":
    make_data(os.path.join(WORK, "data"))
    tfx.orchestration.LocalDagRunner().run(pipeline(os.path.join(WORK, "data")))
