/* The list of all command tables, in the order in which help shows them. */
#include "cli/commands.h"

const SvCommand *const sv_command_tables[] = {
  sv_manifest_commands,
  sv_manifest_signers_commands,
  sv_miner_commands,
  sv_clip_commands,
  sv_store_commands,
  sv_serve_commands,
  sv_runner_commands,
  sv_validator_commands,
  sv_key_commands,
  sv_chain_commands,
  sv_chain_proof_commands,
  sv_config_commands,
  NULL,
};
