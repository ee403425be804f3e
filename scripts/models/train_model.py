import shutil
import time
from hashlib import sha256
from pathlib import Path

from qatlas.job import job
from qatlas.models.architectures.build import build
from qatlas.models.card import card_of, write_card
from qatlas.models.likelihood import evaluate
from qatlas.models.schema import LOSSES
from qatlas.models.tokenizer import bytes_of_tokens, load_tokenizer, transformers_tokenizer
from qatlas.models.tokens import read_tokens
from qatlas.models.train import Training, train
from qatlas.models.windows import Text, Windows, sha256_of
from qatlas.tables import write_table

with job(snakemake):
    inputs, params, wildcards = snakemake.input, snakemake.params, snakemake.wildcards
    training = Training(**params.training, context=params.context, seed=int(wildcards.seed))
    tokenizer = load_tokenizer(inputs.tokenizer)
    tokens = read_tokens(inputs.training)
    validation = Text(
        read_tokens(inputs.validation)[: params.validation_tokens], bytes_of_tokens(tokenizer)
    )
    model = build(
        wildcards.architecture, tokenizer.get_vocab_size(), training.context, training.seed
    )
    checkpoint = Path(params.checkpoint)
    started = time.perf_counter()
    rows = train(model, tokens, validation, training, checkpoint, params.device)
    seconds = time.perf_counter() - started
    windows = Windows(training.context, training.context)
    found = evaluate(model, validation, windows, training.batch, params.device)

    folder = Path(snakemake.output.weights).parent
    model.to("cpu").save_pretrained(folder)
    transformers_tokenizer(tokenizer).save_pretrained(folder)
    # As it was trained, byte for byte; transformers writes it in another way.
    shutil.copyfile(inputs.tokenizer, snakemake.output.tokenizer)
    named = {"architecture": wildcards.architecture, "seed": training.seed}
    write_table([named | row for row in rows], LOSSES, snakemake.output.losses)
    texts = {"training": sha256_of(tokens), "validation": sha256_of(validation.tokens)}
    texts["tokenizer"] = sha256(Path(inputs.tokenizer).read_bytes()).hexdigest()
    write_card(card_of(model, training, texts, found, seconds, params.device, **named), folder)
    checkpoint.unlink()
