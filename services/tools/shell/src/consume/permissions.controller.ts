// The Permissions service of tools, in process and over gRPC.
import { Inject } from '@nestjs/common';
import {
  PermissionsService,
  type Authorization,
  type AuthorizeRequest,
  type Context,
  type PermissionsPeer,
  type SwitchChange,
  type SwitchList,
  type SwitchListRequest,
  type SwitchState,
} from '@weft/contracts';
import { PeerController } from '@weft/nest-platform';

/** Token of the permissions of this process: a `PermissionsPeer` that may be called in process. */
export const PERMISSIONS_PEER = Symbol('weft.tools.permissions');

@PeerController(PermissionsService, 'tools')
export class PermissionsController implements PermissionsPeer {
  constructor(@Inject(PERMISSIONS_PEER) private readonly permissions: PermissionsPeer) {}

  authorize(request: AuthorizeRequest, context: Context): Promise<Authorization> {
    return this.permissions.authorize(request, context);
  }

  listSwitches(request: SwitchListRequest, context: Context): Promise<SwitchList> {
    return this.permissions.listSwitches(request, context);
  }

  changeSwitch(change: SwitchChange, context: Context): Promise<SwitchState> {
    return this.permissions.changeSwitch(change, context);
  }
}
