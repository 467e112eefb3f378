import { Body, Controller, Delete, Get, HttpCode, Param, Patch, Post, Put } from '@nestjs/common';
import { ApiNoContentResponse, ApiTags } from '@nestjs/swagger';
import { gatewayDefinition, isGatewayCode } from '../gateways/gateways.js';
import { type Actor } from '../platform/audit/audit-trail.js';
import { Database } from '../platform/database/database.js';
import { Problems } from '../platform/http/problems.decorator.js';
import { Problem } from '../shared/problem.js';
import { AllowedTo, CurrentActor } from './access.decorator.js';
import { ApiKeys, type ApiKey } from './api-keys.js';
import { ApiKeyDto, ApiKeyListDto, NewApiKeyDto } from './dto/api-key.dto.js';
import { CreateApiKeyDto } from './dto/create-api-key.dto.js';
import { CreateTenantDto } from './dto/create-tenant.dto.js';
import { GatewayAccountDto, GatewayAccountListDto } from './dto/gateway-account.dto.js';
import { UpdateTenantDto } from './dto/update-tenant.dto.js';
import { PutGatewayAccountDto } from './dto/put-gateway-account.dto.js';
import { TenantDto } from './dto/tenant.dto.js';
import { feeRulesOf } from './fee-rules.js';
import { GatewayAccountChanges } from './gateway-account-changes.js';
import { GatewayAccounts, type GatewayAccount } from './gateway-accounts.js';
import { maskedAccount } from './masked-account.js';
import { Tenants, type Tenant } from './tenants.js';
import { withoutNulls } from '../shared/without-nulls.js';

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
  @Problems('validation_failed', 'malformed_json')
  async create(@Body() body: CreateTenantDto, @CurrentActor() actor: Actor): Promise<TenantDto> {
    const { name, country, defaultCurrency, email } = body;
    return tenantView(await this.tenants.create({
      name, country, defaultCurrency, email, locale: body.locale ?? 'es', timeZone: body.timeZone ?? 'America/Lima',
      referenceFees: feeRulesOf(body.referenceFees ?? [], 'referenceFees'), settings: { refundLimit: body.settings?.refundLimit ?? null },
    }, actor));
  }

  /** Changes what is named of a tenant. */
  @Patch(':tenantId')
  @AllowedTo('tenant_administration')
  @Problems('validation_failed', 'malformed_json', 'not_found')
  async update(@Param('tenantId') tenantId: string, @Body() body: UpdateTenantDto, @CurrentActor() actor: Actor): Promise<TenantDto> {
    const { referenceFees, settings, ...named } = withoutNulls(body);
    return tenantView(await this.tenants.update(tenantId, {
      ...named,
      ...(referenceFees === undefined ? {} : { referenceFees: feeRulesOf(referenceFees, 'referenceFees') }),
      ...(settings === undefined ? {} : { settings: { refundLimit: settings.refundLimit ?? null } }),
    }, actor));
  }

  /** One tenant. */
  @Get(':tenantId')
  @AllowedTo('tenant_administration')
  @Problems('not_found')
  async get(@Param('tenantId') tenantId: string): Promise<TenantDto> {
    return tenantView(await this.tenants.find(tenantId));
  }

  /** Makes a key; it is shown this once. */
  @Post(':tenantId/api-keys')
  @AllowedTo('tenant_administration')
  @Problems('validation_failed', 'malformed_json', 'not_found')
  async createApiKey(@Param('tenantId') tenantId: string, @Body() body: CreateApiKeyDto, @CurrentActor() actor: Actor): Promise<NewApiKeyDto> {
    await this.tenants.find(tenantId);
    const { key, ...made } = await this.apiKeys.create(tenantId, body.name, body.role, actor);
    return { ...keyView(made), key };
  }

  /** The tenant's keys, without themselves. */
  @Get(':tenantId/api-keys')
  @AllowedTo('tenant_administration')
  @Problems('not_found')
  async listApiKeys(@Param('tenantId') tenantId: string): Promise<ApiKeyListDto> {
    await this.tenants.find(tenantId);
    return { data: (await this.apiKeys.list(tenantId)).map(keyView) };
  }

  /** Revokes a key, at once and for good. */
  @Delete(':tenantId/api-keys/:id')
  @HttpCode(204)
  @AllowedTo('tenant_administration')
  @ApiNoContentResponse()
  @Problems('not_found')
  async revokeApiKey(@Param('tenantId') tenantId: string, @Param('id') id: string, @CurrentActor() actor: Actor): Promise<void> {
    await this.tenants.find(tenantId);
    await this.apiKeys.revoke(tenantId, id, actor);
  }

  /** Sets the account at a PSP, as a new version. Secrets are never shown again. */
  @Put(':tenantId/gateway-accounts/:gateway')
  @AllowedTo('tenant_administration')
  @Problems('validation_failed', 'malformed_json', 'not_found', 'operation_in_progress', 'gateway_not_configured')
  async putGatewayAccount(
    @Param('tenantId') tenantId: string, @Param('gateway') gateway: string, @Body() body: PutGatewayAccountDto, @CurrentActor() actor: Actor,
  ): Promise<GatewayAccountDto> {
    await this.tenants.find(tenantId);
    if (!isGatewayCode(gateway)) throw new Problem('not_found', 'There is no such gateway.');
    return this.accountView(await this.accountChanges.put(tenantId, gatewayDefinition(gateway), { ...body, fees: feeRulesOf(body.fees ?? [], 'fees'), settings: body.settings ?? {} }, actor));
  }

  /** The accounts in force, one for each gateway. */
  @Get(':tenantId/gateway-accounts')
  @AllowedTo('tenant_administration')
  @Problems('not_found')
  async listGatewayAccounts(@Param('tenantId') tenantId: string): Promise<GatewayAccountListDto> {
    await this.tenants.find(tenantId);
    return { data: (await this.accounts.current(this.database, tenantId)).map((account) => this.accountView(account)) };
  }

  private accountView(account: GatewayAccount): GatewayAccountDto {
    return maskedAccount(account, this.accounts.credentialsOf(account), gatewayDefinition(account.gateway));
  }
}

function tenantView(tenant: Tenant): TenantDto {
  return { ...tenant, createdAt: tenant.createdAt.toISOString() };
}

function keyView(key: ApiKey): ApiKeyDto {
  return { id: key.id, name: key.name, role: key.role, hint: `…${key.hint}`, createdAt: key.createdAt.toISOString(), revokedAt: key.revokedAt?.toISOString() ?? null };
}
