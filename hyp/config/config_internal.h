/* Between the parts that read configuration files. Internal to hyp/config. */
#ifndef ENDICOTT_HYP_CONFIG_CONFIG_INTERNAL_H
#define ENDICOTT_HYP_CONFIG_CONFIG_INTERNAL_H

#include "hyp/config.h"
#include "hyp/config/fault.h"

/** What it has allocated is given back; it is not cleared. */
void config_drop(struct system_config *config);
/** As config_parse_system and _hardware; with `faults` bad statements are told there, and left
 *  out. */
int config_read_system(struct system_config *config, const char *name, const char *text,
                       struct faults *faults, struct cause *cause);
int config_read_hardware(struct config_hardware *hw, const char *name, const char *text,
                         struct faults *faults, struct cause *cause);

/** Warnings about files of disks and tapes that are not there. */
void config_check_files(const struct system_config *config, struct faults *faults);

#endif
