import { Body, Controller, Delete, Get, HttpCode, Param, Post, Put } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import { gatewayDefinition, isGatewayCode } from '../gateways/gateways.js';
import { Database } from '../platform/database/database.js';
import { Problem } from '../shared/problem.js';
import { AllowedTo } from './access.decorator.js';
import { ApiKeys, type ApiKey } from './api-keys.js';
import { CreateApiKeyDto } from './dto/create-api-key.dto.js';
import { CreateTenantDto } from './dto/create-tenant.dto.js';
import { PutGatewayAccountDto } from './dto/put-gateway-account.dto.js';
import { GatewayAccountChanges } from './gateway-account-changes.js';
import { GatewayAccounts, type GatewayAccount } from './gateway-accounts.js';
import { maskedAccount } from './masked-account.js';
import { Tenants, type Tenant } from './tenants.js';

/** Merchants, their keys and their PSP accounts. */
@ApiTags('Tenants and gateways')
@Controller('v1/admin/tenants')
export class TenantsController {
  constructor(
    private readonly tenants: Tenants,
    private readonly apiKeys: ApiKeys,
    private readonly accounts: GatewayAccounts,
    private readonly accountChanges: GatewayAccountChanges,
    private readonly database: Database,
  ) {}

  /** Makes a tenant. */
  @Post()
  @AllowedTo('platform')
  async create(@Body() body: CreateTenantDto) {
    return tenantView(await this.tenants.create({ ...body, locale: body.locale ?? 'es', timeZone: body.timeZone ?? 'America/Lima' }));
  }

  @Get(':tenantId')
  @AllowedTo('tenant_administration')
  async get(@Param('tenantId') tenantId: string) {
    return tenantView(await this.tenants.find(tenantId));
  }

  /** Makes a key; it is shown this once. */
  @Post(':tenantId/api-keys')
  @AllowedTo('tenant_administration')
  async createApiKey(@Param('tenantId') tenantId: string, @Body() body: CreateApiKeyDto) {
    await this.tenants.find(tenantId);
    const { key, ...made } = await this.apiKeys.create(tenantId, body.name, body.role);
    return { ...keyView(made), key };
  }

  @Get(':tenantId/api-keys')
  @AllowedTo('tenant_administration')
  async listApiKeys(@Param('tenantId') tenantId: string) {
    await this.tenants.find(tenantId);
    return { data: (await this.apiKeys.list(tenantId)).map(keyView) };
  }

  /** Revokes a key, at once and for good. */
  @Delete(':tenantId/api-keys/:id')
  @HttpCode(204)
  @AllowedTo('tenant_administration')
  async revokeApiKey(@Param('tenantId') tenantId: string, @Param('id') id: string): Promise<void> {
    await this.tenants.find(tenantId);
    await this.apiKeys.revoke(tenantId, id);
  }

  /** Sets the account at a PSP, as a new version. Secrets are never shown again. */
  @Put(':tenantId/gateway-accounts/:gateway')
  @AllowedTo('tenant_administration')
  async putGatewayAccount(@Param('tenantId') tenantId: string, @Param('gateway') gateway: string, @Body() body: PutGatewayAccountDto) {
    await this.tenants.find(tenantId);
    if (!isGatewayCode(gateway)) throw new Problem('not_found', 'There is no such gateway.');
    return this.accountView(await this.accountChanges.put(tenantId, gatewayDefinition(gateway), body));
  }

  @Get(':tenantId/gateway-accounts')
  @AllowedTo('tenant_administration')
  async listGatewayAccounts(@Param('tenantId') tenantId: string) {
    await this.tenants.find(tenantId);
    return { data: (await this.accounts.current(this.database, tenantId)).map((account) => this.accountView(account)) };
  }

  private accountView(account: GatewayAccount) {
    return maskedAccount(account, this.accounts.credentialsOf(account), gatewayDefinition(account.gateway));
  }
}

function tenantView(tenant: Tenant) {
  return { ...tenant, createdAt: tenant.createdAt.toISOString() };
}

function keyView(key: ApiKey) {
  return { id: key.id, name: key.name, role: key.role, hint: `…${key.hint}`, createdAt: key.createdAt.toISOString(), revokedAt: key.revokedAt?.toISOString() ?? null };
}
