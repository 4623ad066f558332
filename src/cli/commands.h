/* The command tables, one per file of this folder; tables.c lists them in the order in which help shows them. */
#pragma once

#include "cli/command.h"

extern const SvCommand sv_manifest_commands[];
extern const SvCommand sv_manifest_signers_commands[];
extern const SvCommand sv_clip_commands[];
extern const SvCommand sv_store_commands[];
extern const SvCommand sv_miner_commands[];
extern const SvCommand sv_serve_commands[];
extern const SvCommand sv_runner_commands[];
extern const SvCommand sv_validator_commands[];
extern const SvCommand sv_key_commands[];
extern const SvCommand sv_chain_commands[];
extern const SvCommand sv_chain_proof_commands[];
extern const SvCommand sv_config_commands[];

/* All of them, ended by NULL, and the options that every command has. */
extern const SvCommand *const sv_command_tables[];
extern const GOptionEntry sv_shared_options[];
