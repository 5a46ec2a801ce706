package provider

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"

	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/resource"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/planmodifier"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/stringplanmodifier"
	"github.com/hashicorp/terraform-plugin-framework/tfsdk"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/sre-lab/terraform-provider-srelab/internal/lab"
)

// declared is a resource that the control room keeps beside a file of the checkout, by its name. M is both its state, by tags
// `tfsdk`, and what the control room is sent, by tags `json`; its name is in the path.
type declared[M any] struct {
	base
	kind  lab.Kind
	about string
	// attributes without the name.
	attributes map[string]schema.Attribute
	// called is where M has the name.
	called func(*M) *string
}

func (r *declared[M]) Schema(_ context.Context, _ resource.SchemaRequest, answer *resource.SchemaResponse) {
	attributes := map[string]schema.Attribute{
		"name": schema.StringAttribute{
			Required: true, Description: "Its name, which the file of the checkout does not have.",
			PlanModifiers: []planmodifier.String{stringplanmodifier.RequiresReplace()},
		},
	}
	for name, attribute := range r.attributes {
		attributes[name] = attribute
	}
	answer.Schema = schema.Schema{Description: r.about, Attributes: attributes}
}

// put declares what is planned, and keeps it as the state.
func (r *declared[M]) put(ctx context.Context, plan tfsdk.Plan, state *tfsdk.State, problems *diag.Diagnostics, fresh bool) {
	var model M
	problems.Append(plan.Get(ctx, &model)...)
	if problems.HasError() {
		return
	}
	name := *r.called(&model)
	if fresh {
		found, err := r.client.Declared(ctx, r.kind, name)
		if err == nil && !found.OfFile {
			problems.AddError("It exists", fmt.Sprintf("%s was declared by somebody else. Import it, or take another name.", name))
			return
		}
		// What the file has, the control room refuses with a sentence.
		if err != nil && !gone(err) {
			failed(problems, "It cannot be read", err)
			return
		}
	}
	if failed(problems, "It was refused", r.client.Declare(ctx, r.kind, name, &model)) {
		return
	}
	problems.Append(state.Set(ctx, &model)...)
}

func (r *declared[M]) Create(ctx context.Context, request resource.CreateRequest, answer *resource.CreateResponse) {
	r.put(ctx, request.Plan, &answer.State, &answer.Diagnostics, true)
}

func (r *declared[M]) Update(ctx context.Context, request resource.UpdateRequest, answer *resource.UpdateResponse) {
	r.put(ctx, request.Plan, &answer.State, &answer.Diagnostics, false)
}

func (r *declared[M]) Read(ctx context.Context, request resource.ReadRequest, answer *resource.ReadResponse) {
	var name types.String
	answer.Diagnostics.Append(request.State.GetAttribute(ctx, path.Root("name"), &name)...)
	if answer.Diagnostics.HasError() {
		return
	}
	found, err := r.client.Declared(ctx, r.kind, name.ValueString())
	if gone(err) || err == nil && found.OfFile {
		answer.State.RemoveResource(ctx)
		return
	}
	if failed(&answer.Diagnostics, "It cannot be read", err) {
		return
	}
	model, err := decoded[M](found.Fields)
	if failed(&answer.Diagnostics, "It cannot be read", err) {
		return
	}
	*r.called(&model) = name.ValueString()
	// An empty list and none are the same to the control room: what is written stays as it is written. After an import nothing
	// but the name is known.
	var known M
	if problems := request.State.Get(ctx, &known); !problems.HasError() && same(known, model) {
		return
	}
	answer.Diagnostics.Append(answer.State.Set(ctx, &model)...)
}

// decoded is what an answer says, without lists that are empty: those are left out when they are sent.
func decoded[M any](fields []byte) (model M, err error) {
	var sent M
	if err = json.Unmarshal(fields, &sent); err != nil {
		return model, err
	}
	again, err := json.Marshal(sent)
	if err != nil {
		return model, err
	}
	err = json.Unmarshal(again, &model)
	return model, err
}

// same says whether the control room is sent the same for both.
func same(one, other any) bool {
	before, wrong := json.Marshal(one)
	after, err := json.Marshal(other)
	return wrong == nil && err == nil && bytes.Equal(before, after)
}

func (r *declared[M]) Delete(ctx context.Context, request resource.DeleteRequest, answer *resource.DeleteResponse) {
	var name types.String
	answer.Diagnostics.Append(request.State.GetAttribute(ctx, path.Root("name"), &name)...)
	if answer.Diagnostics.HasError() {
		return
	}
	if err := r.client.Withdraw(ctx, r.kind, name.ValueString()); !gone(err) {
		failed(&answer.Diagnostics, "It cannot be withdrawn", err)
	}
}

func (*declared[M]) ImportState(ctx context.Context, request resource.ImportStateRequest, answer *resource.ImportStateResponse) {
	resource.ImportStatePassthroughID(ctx, path.Root("name"), request, answer)
}

func requiredText(about string) schema.StringAttribute {
	return schema.StringAttribute{Required: true, Description: about}
}

func optionalText(about string) schema.StringAttribute {
	return schema.StringAttribute{Optional: true, Description: about}
}

func requiredTexts(about string) schema.ListAttribute {
	return schema.ListAttribute{Required: true, ElementType: types.StringType, Description: about}
}

func optionalTexts(about string) schema.ListAttribute {
	return schema.ListAttribute{Optional: true, ElementType: types.StringType, Description: about}
}

func nested(attributes map[string]schema.Attribute) schema.NestedAttributeObject {
	return schema.NestedAttributeObject{Attributes: attributes}
}
