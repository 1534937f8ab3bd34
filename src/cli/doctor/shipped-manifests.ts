// Made by `make generate` of manifests/base: what is changed here by hand is lost.

/** What a cluster is held against by `belay doctor`, which has no files beside it: the webhooks, and the rules of Belay's own roles. JSON. */
export const SHIPPED_MANIFESTS = `{
 "validating": [
  {
   "name": "records.belay.dev",
   "clientConfig": {
    "service": {
     "name": "belay",
     "namespace": "belay-system",
     "port": 8443,
     "path": "/validate"
    }
   },
   "rules": [
    {
     "apiGroups": [
      ""
     ],
     "apiVersions": [
      "v1"
     ],
     "resources": [
      "secrets",
      "configmaps"
     ],
     "operations": [
      "CREATE",
      "UPDATE",
      "DELETE"
     ],
     "scope": "Namespaced"
    }
   ],
   "namespaceSelector": {
    "matchExpressions": [
     {
      "key": "kubernetes.io/metadata.name",
      "operator": "NotIn",
      "values": [
       "belay-system"
      ]
     }
    ]
   },
   "objectSelector": {
    "matchLabels": {
     "owner": "helm"
    }
   },
   "matchConditions": [
    {
     "name": "not-the-clusters-own-clean-up",
     "expression": "!(request.userInfo.username in [ 'system:serviceaccount:kube-system:namespace-controller', 'system:serviceaccount:kube-system:generic-garbage-collector', 'system:kube-controller-manager', 'system:apiserver'])"
    },
    {
     "name": "a-record",
     "expression": "[object, oldObject].exists(o, o != null && ( (has(o.metadata.name) && o.metadata.name.startsWith('sh.helm.release.v1.')) || (has(o.data) && 'release' in o.data)))"
    }
   ],
   "failurePolicy": "Fail",
   "timeoutSeconds": 10,
   "sideEffects": "NoneOnDryRun",
   "matchPolicy": "Equivalent",
   "admissionReviewVersions": [
    "v1"
   ]
  },
  {
   "name": "objects.belay.dev",
   "clientConfig": {
    "service": {
     "name": "belay",
     "namespace": "belay-system",
     "port": 8443,
     "path": "/validate"
    }
   },
   "rules": [
    {
     "apiGroups": [
      "*"
     ],
     "apiVersions": [
      "*"
     ],
     "resources": [
      "*"
     ],
     "operations": [
      "CREATE",
      "UPDATE",
      "DELETE"
     ],
     "scope": "*"
    }
   ],
   "namespaceSelector": {
    "matchExpressions": [
     {
      "key": "kubernetes.io/metadata.name",
      "operator": "NotIn",
      "values": [
       "belay-system"
      ]
     }
    ]
   },
   "objectSelector": {
    "matchLabels": {
     "app.kubernetes.io/managed-by": "Helm"
    }
   },
   "matchConditions": [
    {
     "name": "not-kubernetes-itself",
     "expression": "!request.userInfo.username.startsWith('system:serviceaccount:kube-system:') && !(request.userInfo.username in [ 'system:kube-controller-manager', 'system:kube-scheduler', 'system:cloud-controller-manager', 'system:apiserver']) && !(has(request.userInfo.groups) && 'system:nodes' in request.userInfo.groups)"
    },
    {
     "name": "not-belay-itself",
     "expression": "request.userInfo.username != 'system:serviceaccount:belay-system:belay'"
    },
    {
     "name": "marked-as-part-of-a-release",
     "expression": "[object, oldObject].exists(o, o != null && has(o.metadata.annotations) && 'meta.helm.sh/release-name' in o.metadata.annotations && 'meta.helm.sh/release-namespace' in o.metadata.annotations)"
    },
    {
     "name": "not-of-a-release-in-belays-own-namespace",
     "expression": "[oldObject != null ? oldObject : object].all(o, !has(o.metadata.annotations) || !('meta.helm.sh/release-namespace' in o.metadata.annotations) || o.metadata.annotations['meta.helm.sh/release-namespace'] != 'belay-system')"
    }
   ],
   "failurePolicy": "Ignore",
   "timeoutSeconds": 5,
   "sideEffects": "NoneOnDryRun",
   "matchPolicy": "Equivalent",
   "admissionReviewVersions": [
    "v1"
   ]
  },
  {
   "name": "scale.belay.dev",
   "clientConfig": {
    "service": {
     "name": "belay",
     "namespace": "belay-system",
     "port": 8443,
     "path": "/validate"
    }
   },
   "rules": [
    {
     "apiGroups": [
      "*"
     ],
     "apiVersions": [
      "*"
     ],
     "resources": [
      "*/scale"
     ],
     "operations": [
      "UPDATE"
     ],
     "scope": "*"
    }
   ],
   "namespaceSelector": {
    "matchExpressions": [
     {
      "key": "kubernetes.io/metadata.name",
      "operator": "NotIn",
      "values": [
       "belay-system"
      ]
     }
    ]
   },
   "matchConditions": [
    {
     "name": "not-kubernetes-itself",
     "expression": "!request.userInfo.username.startsWith('system:serviceaccount:kube-system:') && !(request.userInfo.username in [ 'system:kube-controller-manager', 'system:kube-scheduler', 'system:cloud-controller-manager', 'system:apiserver']) && !(has(request.userInfo.groups) && 'system:nodes' in request.userInfo.groups)"
    },
    {
     "name": "not-belay-itself",
     "expression": "request.userInfo.username != 'system:serviceaccount:belay-system:belay'"
    }
   ],
   "failurePolicy": "Ignore",
   "timeoutSeconds": 5,
   "sideEffects": "NoneOnDryRun",
   "matchPolicy": "Equivalent",
   "admissionReviewVersions": [
    "v1"
   ]
  },
  {
   "name": "namespaces.belay.dev",
   "clientConfig": {
    "service": {
     "name": "belay",
     "namespace": "belay-system",
     "port": 8443,
     "path": "/validate"
    }
   },
   "rules": [
    {
     "apiGroups": [
      ""
     ],
     "apiVersions": [
      "v1"
     ],
     "resources": [
      "namespaces"
     ],
     "operations": [
      "CREATE",
      "UPDATE",
      "DELETE"
     ],
     "scope": "Cluster"
    }
   ],
   "namespaceSelector": {
    "matchExpressions": [
     {
      "key": "kubernetes.io/metadata.name",
      "operator": "NotIn",
      "values": [
       "belay-system"
      ]
     }
    ]
   },
   "matchConditions": [
    {
     "name": "not-the-clusters-own-clean-up",
     "expression": "!(request.userInfo.username in [ 'system:serviceaccount:kube-system:namespace-controller', 'system:serviceaccount:kube-system:generic-garbage-collector', 'system:kube-controller-manager', 'system:apiserver'])"
    },
    {
     "name": "a-belay-annotation-before-or-after",
     "expression": "[object, oldObject].exists(o, o != null && has(o.metadata.annotations) && o.metadata.annotations.exists(key, key.startsWith('belay.dev/')))"
    }
   ],
   "failurePolicy": "Fail",
   "timeoutSeconds": 10,
   "sideEffects": "NoneOnDryRun",
   "matchPolicy": "Equivalent",
   "admissionReviewVersions": [
    "v1"
   ]
  },
  {
   "name": "namespace-deletes.belay.dev",
   "clientConfig": {
    "service": {
     "name": "belay",
     "namespace": "belay-system",
     "port": 8443,
     "path": "/validate"
    }
   },
   "rules": [
    {
     "apiGroups": [
      ""
     ],
     "apiVersions": [
      "v1"
     ],
     "resources": [
      "namespaces"
     ],
     "operations": [
      "DELETE"
     ],
     "scope": "Cluster"
    }
   ],
   "namespaceSelector": {
    "matchExpressions": [
     {
      "key": "kubernetes.io/metadata.name",
      "operator": "NotIn",
      "values": [
       "belay-system"
      ]
     }
    ]
   },
   "matchConditions": [
    {
     "name": "not-the-clusters-own-clean-up",
     "expression": "!(request.userInfo.username in [ 'system:serviceaccount:kube-system:namespace-controller', 'system:serviceaccount:kube-system:generic-garbage-collector', 'system:kube-controller-manager', 'system:apiserver'])"
    },
    {
     "name": "no-belay-annotation",
     "expression": "!(oldObject != null && has(oldObject.metadata.annotations) && oldObject.metadata.annotations.exists(key, key.startsWith('belay.dev/')))"
    }
   ],
   "failurePolicy": "Ignore",
   "timeoutSeconds": 10,
   "sideEffects": "NoneOnDryRun",
   "matchPolicy": "Equivalent",
   "admissionReviewVersions": [
    "v1"
   ]
  },
  {
   "name": "claims.belay.dev",
   "clientConfig": {
    "service": {
     "name": "belay",
     "namespace": "belay-system",
     "port": 8443,
     "path": "/validate"
    }
   },
   "rules": [
    {
     "apiGroups": [
      "coordination.k8s.io"
     ],
     "apiVersions": [
      "*"
     ],
     "resources": [
      "leases"
     ],
     "operations": [
      "CREATE",
      "UPDATE",
      "DELETE"
     ],
     "scope": "Namespaced"
    }
   ],
   "namespaceSelector": {
    "matchExpressions": [
     {
      "key": "kubernetes.io/metadata.name",
      "operator": "NotIn",
      "values": [
       "belay-system"
      ]
     }
    ]
   },
   "objectSelector": {
    "matchLabels": {
     "belay.dev/claim": "true"
    }
   },
   "matchConditions": [
    {
     "name": "not-the-clusters-own-clean-up",
     "expression": "!(request.userInfo.username in [ 'system:serviceaccount:kube-system:namespace-controller', 'system:serviceaccount:kube-system:generic-garbage-collector', 'system:kube-controller-manager', 'system:apiserver'])"
    },
    {
     "name": "not-belay-itself",
     "expression": "request.userInfo.username != 'system:serviceaccount:belay-system:belay'"
    }
   ],
   "failurePolicy": "Fail",
   "timeoutSeconds": 10,
   "sideEffects": "NoneOnDryRun",
   "matchPolicy": "Equivalent",
   "admissionReviewVersions": [
    "v1"
   ]
  },
  {
   "name": "policies.belay.dev",
   "clientConfig": {
    "service": {
     "name": "belay",
     "namespace": "belay-system",
     "port": 8443,
     "path": "/validate"
    }
   },
   "rules": [
    {
     "apiGroups": [
      "belay.dev"
     ],
     "apiVersions": [
      "*"
     ],
     "resources": [
      "releasepolicies"
     ],
     "operations": [
      "CREATE",
      "UPDATE"
     ],
     "scope": "Cluster"
    }
   ],
   "failurePolicy": "Ignore",
   "timeoutSeconds": 5,
   "sideEffects": "None",
   "matchPolicy": "Equivalent",
   "admissionReviewVersions": [
    "v1"
   ]
  }
 ],
 "mutating": [
  {
   "name": "records.belay.dev",
   "clientConfig": {
    "service": {
     "name": "belay",
     "namespace": "belay-system",
     "port": 8443,
     "path": "/mutate"
    }
   },
   "rules": [
    {
     "apiGroups": [
      ""
     ],
     "apiVersions": [
      "v1"
     ],
     "resources": [
      "secrets",
      "configmaps"
     ],
     "operations": [
      "CREATE",
      "UPDATE"
     ],
     "scope": "Namespaced"
    }
   ],
   "namespaceSelector": {
    "matchExpressions": [
     {
      "key": "kubernetes.io/metadata.name",
      "operator": "NotIn",
      "values": [
       "belay-system"
      ]
     }
    ]
   },
   "objectSelector": {
    "matchLabels": {
     "owner": "helm"
    }
   },
   "matchConditions": [
    {
     "name": "not-the-clusters-own-clean-up",
     "expression": "!(request.userInfo.username in [ 'system:serviceaccount:kube-system:namespace-controller', 'system:serviceaccount:kube-system:generic-garbage-collector', 'system:kube-controller-manager', 'system:apiserver'])"
    },
    {
     "name": "a-record",
     "expression": "[object, oldObject].exists(o, o != null && ( (has(o.metadata.name) && o.metadata.name.startsWith('sh.helm.release.v1.')) || (has(o.data) && 'release' in o.data)))"
    }
   ],
   "failurePolicy": "Fail",
   "timeoutSeconds": 10,
   "sideEffects": "NoneOnDryRun",
   "matchPolicy": "Equivalent",
   "reinvocationPolicy": "Never",
   "admissionReviewVersions": [
    "v1"
   ]
  },
  {
   "name": "namespaces.belay.dev",
   "clientConfig": {
    "service": {
     "name": "belay",
     "namespace": "belay-system",
     "port": 8443,
     "path": "/mutate"
    }
   },
   "rules": [
    {
     "apiGroups": [
      ""
     ],
     "apiVersions": [
      "v1"
     ],
     "resources": [
      "namespaces"
     ],
     "operations": [
      "CREATE",
      "UPDATE"
     ],
     "scope": "Cluster"
    }
   ],
   "namespaceSelector": {
    "matchExpressions": [
     {
      "key": "kubernetes.io/metadata.name",
      "operator": "NotIn",
      "values": [
       "belay-system"
      ]
     }
    ]
   },
   "matchConditions": [
    {
     "name": "not-the-clusters-own-clean-up",
     "expression": "!(request.userInfo.username in [ 'system:serviceaccount:kube-system:namespace-controller', 'system:serviceaccount:kube-system:generic-garbage-collector', 'system:kube-controller-manager', 'system:apiserver'])"
    },
    {
     "name": "a-belay-annotation-before-or-after",
     "expression": "[object, oldObject].exists(o, o != null && has(o.metadata.annotations) && o.metadata.annotations.exists(key, key.startsWith('belay.dev/')))"
    }
   ],
   "failurePolicy": "Fail",
   "timeoutSeconds": 10,
   "sideEffects": "NoneOnDryRun",
   "matchPolicy": "Equivalent",
   "reinvocationPolicy": "Never",
   "admissionReviewVersions": [
    "v1"
   ]
  }
 ],
 "clusterRules": [
  {
   "apiGroups": [
    ""
   ],
   "resources": [
    "secrets",
    "configmaps"
   ],
   "verbs": [
    "get",
    "list",
    "watch"
   ]
  },
  {
   "apiGroups": [
    ""
   ],
   "resources": [
    "namespaces"
   ],
   "verbs": [
    "get",
    "list",
    "watch"
   ]
  },
  {
   "apiGroups": [
    "coordination.k8s.io"
   ],
   "resources": [
    "leases"
   ],
   "verbs": [
    "get",
    "list",
    "watch",
    "create",
    "update",
    "patch",
    "delete"
   ]
  },
  {
   "apiGroups": [
    "authorization.k8s.io"
   ],
   "resources": [
    "subjectaccessreviews"
   ],
   "verbs": [
    "create"
   ]
  },
  {
   "apiGroups": [
    "belay.dev"
   ],
   "resources": [
    "releasepolicies"
   ],
   "verbs": [
    "get",
    "list",
    "watch"
   ]
  },
  {
   "apiGroups": [
    "belay.dev"
   ],
   "resources": [
    "releasepolicies/status"
   ],
   "verbs": [
    "update"
   ]
  },
  {
   "apiGroups": [
    "apps"
   ],
   "resources": [
    "deployments",
    "replicasets",
    "statefulsets"
   ],
   "verbs": [
    "get"
   ]
  },
  {
   "apiGroups": [
    ""
   ],
   "resources": [
    "replicationcontrollers"
   ],
   "verbs": [
    "get"
   ]
  },
  {
   "apiGroups": [
    ""
   ],
   "resources": [
    "events"
   ],
   "verbs": [
    "get",
    "create",
    "patch"
   ]
  },
  {
   "apiGroups": [
    "admissionregistration.k8s.io"
   ],
   "resources": [
    "validatingwebhookconfigurations",
    "mutatingwebhookconfigurations"
   ],
   "resourceNames": [
    "belay"
   ],
   "verbs": [
    "get",
    "list",
    "watch"
   ]
  }
 ],
 "injectionRules": [
  {
   "apiGroups": [
    "admissionregistration.k8s.io"
   ],
   "resources": [
    "validatingwebhookconfigurations",
    "mutatingwebhookconfigurations"
   ],
   "resourceNames": [
    "belay"
   ],
   "verbs": [
    "patch"
   ]
  }
 ],
 "namespaceRules": [
  {
   "apiGroups": [
    ""
   ],
   "resources": [
    "secrets"
   ],
   "verbs": [
    "create"
   ]
  },
  {
   "apiGroups": [
    ""
   ],
   "resources": [
    "secrets"
   ],
   "resourceNames": [
    "belay-certificates"
   ],
   "verbs": [
    "get",
    "list",
    "watch",
    "update"
   ]
  }
 ]
}`;
